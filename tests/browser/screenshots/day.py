"""A day of work: captured and enriched by the real program within seconds, and then dated back."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from items.models import EnrichmentAttempt, Item
from items.states import Status
from tests.browser.screenshots.texts import BEANS, FAILING, READY, SLOW, VACUUM
from tests.waiting import until

OWNERS = ("ada", "grace", "reading-list")
ARCHIVED = 380
# How busy each hour is, the present one last.
BUSY = (6, 4, 3, 2, 1, 1, 2, 4, 9, 14, 19, 22, 20, 17, 21, 24, 23, 18, 15, 12, 16, 19, 14, 10)
SLOW_HOURS_AGO = 8
SLOTS = 2
MINUTES_BETWEEN_PENDING = 4


class Day:
    """Random as a day is, but the same at each run."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self.owners = [User.objects.create_user(name, password=name) for name in OWNERS]
        self.admin = User.objects.create_superuser("admin", password="admin")

    def pass_by(self) -> None:
        self._archive_many()
        self._leave_some_pending()
        for owner, text in zip(self.owners, SLOW, strict=True):
            Item.objects.capture(owner=owner, raw_text=text)
        until(lambda: Item.objects.filter(claimed_by__isnull=False).count() >= SLOTS)

    def _archive_many(self) -> None:
        texts = [f"{self._random.choice(READY)}\n\nPage {number}." for number in range(ARCHIVED)]
        items = self._enriched(self.owners[2], texts)
        now = timezone.now()
        hours = sorted(self._random.choices(range(len(BUSY)), weights=BUSY, k=ARCHIVED))
        for item, hour in zip(items, hours, strict=True):
            hours_ago = len(BUSY) - 1 - hour
            age = timedelta(hours=hours_ago, minutes=self._random.uniform(1, 60))
            self._date(item, now - age, slowness=6 if hours_ago == SLOW_HOURS_AGO else 1)
        Item.objects.filter(status=Status.READY_TO_CONFIRM).confirm()

    def _leave_some_pending(self) -> None:
        """Failures between drafts, as they come: many in a row would look like an outage to the worker."""
        failing = list(FAILING)
        ours = [failing[0], READY[3], failing[1], READY[2], VACUUM, failing[2], BEANS]
        others = [text for pair in zip(failing[3:], [*READY, *READY], strict=False) for text in pair]
        moment = timezone.now() - timedelta(minutes=3)
        pending = [*self._enriched(self.owners[1], others), *self._enriched(self.owners[0], ours)]
        for number, item in enumerate(reversed(pending)):
            self._date(item, moment - number * timedelta(minutes=MINUTES_BETWEEN_PENDING))

    def _enriched(self, owner: User, texts: Sequence[str]) -> list[Item]:
        items = Item.objects.capture_many(owner=owner, raw_texts=texts)
        until(lambda: not Item.objects.filter(status=Status.ENRICHING).exists())
        return items

    def _date(self, item: Item, captured: datetime, *, slowness: float = 1) -> None:
        """As if it had been captured then, and the model had taken its time."""
        started = captured + timedelta(seconds=0.02 * self._random.expovariate(1))
        finished = started + slowness * timedelta(seconds=self._random.lognormvariate(0.4, 0.35))
        Item.objects.filter(pk=item.pk).update(created_at=captured, updated_at=finished)
        EnrichmentAttempt.objects.filter(item=item).update(started_at=started, finished_at=finished)

"""One action on many items: in short transactions, and retries no faster than a provider bears."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, repeat
from math import ceil
from time import monotonic
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from items.admin.counting import MOST_TO_COUNT, Count, counted
from items.models import Item, ItemQuerySet
from items.states import Action, Status, statuses_allowing

BATCH = 300
"""Items in one transaction. So many of those retried become due each minute, so that captures get through between.

Five a second is about what a provider grants to a small account.
"""

MOST_PUT_OFF = timedelta(days=7)
"""What lies further ahead was not put off by a retry, and holds none up."""

NOTHING = Count(0)

LONGEST_SECONDS = 10.0
"""Then the page answers and says what is left: nobody stares at a blank browser, and no proxy gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of an action, in items. `moved` changed, `refused` have a status that does not allow it,
    `gone` were deleted meanwhile, and `left` were not come to.
    """

    moved: int
    refused: Count = NOTHING
    gone: int = 0
    left: Count = NOTHING
    minutes: int = 0
    """How long it takes until the last of the retried items becomes due."""


def move_selected(ids: Collection[UUID], action: Action) -> Tally:
    """At once, in one transaction: a page holds only so many."""
    items = Item.objects.filter(pk__in=ids)
    found = items.count()
    moved = _move(items, action)
    return Tally(moved=moved, refused=Count(max(0, found - moved)), gone=max(0, len(ids) - found))


def move_matching(items: ItemQuerySet, action: Action) -> Tally:
    """Oldest first, batch by batch, until none is left or the time is over."""
    refused = counted(items.exclude(status__in=statuses_allowing(action)))
    moved = minutes = 0
    pace = _minutes_of_retries() if action == Action.RETRY else repeat(0)
    ends_at = monotonic() + LONGEST_SECONDS
    is_late = False
    for ids, minutes in zip(_batches(items.allowing(action)), pace, strict=False):
        moved += _move(Item.objects.filter(pk__in=ids), action, after=timedelta(minutes=minutes))
        if is_late := monotonic() > ends_at:
            break
    if moved > MOST_TO_COUNT:
        _tell_the_planner()
    left = counted(items.allowing(action)) if is_late else NOTHING
    return Tally(moved=moved, refused=refused, left=left, minutes=minutes)


def _tell_the_planner() -> None:
    """It would hear of so many changes only when a tenth of the table has changed, and every estimate is its own.

    A role that does not own the table gets a warning from PostgreSQL, and older estimates.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items (status, available_at, enrichment_error)")


def _minutes_of_retries() -> Iterator[int]:
    """When each batch becomes due: the first at once, so that a small retry never waits.

    The others come a minute after each other, and behind all that other reviewers put off before.
    """
    yield 0
    yield from count(1 + _minutes_put_off())


def _minutes_put_off() -> int:
    """Until the last of the items becomes due that wait for their time."""
    put_off = Item.objects.filter(status=Status.ENRICHING, claimed_by=None, available_at__lt=Now() + MOST_PUT_OFF)
    last = put_off.aggregate(wait=Max("available_at") - Now())["wait"]
    return 0 if last is None else max(0, ceil(last / timedelta(minutes=1)))


def minutes_to_retry(items: Count) -> int:
    """How long that many items take until the last of them becomes due."""
    return max(0, items.number - 1) // BATCH


def _batches(items: ItemQuerySet) -> Iterator[list[UUID]]:
    """Each item once: one that fails again at once, as in an outage, is not met again."""
    ordered = items.order_by("created_at", "id")
    page = list(ordered.values_list("created_at", "id")[:BATCH])
    while page:
        yield [item_id for _, item_id in page]
        page = list(ordered.newer_than(*page[-1]).values_list("created_at", "id")[:BATCH])


def _move(items: ItemQuerySet, action: Action, *, after: timedelta = timedelta(0)) -> int:
    """The status is looked at again by the very statement that changes it."""
    with transaction.atomic():
        # Locked in the order of the keys, as the queue locks them, so that no two wait for each other in a circle.
        list(items.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        if action == Action.RETRY:
            return items.retry(after=after)
        return items.confirm() if action == Action.CONFIRM else items.discard()

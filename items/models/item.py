"""The item: one, and many."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from items.models.constraints import CONSTRAINTS
from items.models.indexes import INDEXES
from items.models.limits import ERROR_MAX_LENGTH, MANUAL_TITLE_LENGTH
from items.states import (
    PENDING_STATUSES,
    Action,
    EnrichmentMode,
    SourceType,
    Status,
    allowed_actions,
    next_status,
    statuses_allowing,
)
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TITLE_MAX_LENGTH


class ItemQuerySet(models.QuerySet["Item"]):
    def owned_by(self, owner: object) -> Self:
        return self.filter(owner=owner)

    def pending(self) -> Self:
        return self.filter(status__in=PENDING_STATUSES)

    def kept(self) -> Self:
        return self.exclude(status=Status.DISCARDED)

    def failed(self, *, error_code: str | None = None) -> Self:
        failed = self.filter(status=Status.FAILED)
        return failed.filter(enrichment_error__startswith=f"{error_code}:") if error_code else failed

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    # Both need both conditions, and only the last can be looked up in an index.

    def older_than(self, created_at: datetime, item_id: uuid.UUID) -> Self:
        """What follows on an item when the newest comes first."""
        return self.filter(Q(created_at__lt=created_at) | Q(id__lt=item_id), created_at__lte=created_at)

    def newer_than(self, created_at: datetime, item_id: uuid.UUID) -> Self:
        """What follows on an item when the oldest comes first."""
        return self.filter(Q(created_at__gt=created_at) | Q(id__gt=item_id), created_at__gte=created_at)

    def confirm(self) -> int:
        """Archive those that are ready; say how many that were."""
        now = timezone.now()
        return self.allowing(Action.CONFIRM).update(status=Status.ARCHIVED, confirmed_at=now, updated_at=now)

    def retry(self, *, after: timedelta = timedelta(0)) -> int:
        """Send those that failed back to enrichment; say how many that were.

        The database starts their attempts afresh and wakes the worker. They become due `after` a while, by its clock.
        """
        due = {"available_at": Now() + after} if after else {}
        return self.allowing(Action.RETRY).update(status=Status.ENRICHING, updated_at=timezone.now(), **due)

    def discard(self) -> int:
        """Discard all that are not yet; say how many that were. Calls in flight are cancelled."""
        return self.allowing(Action.DISCARD).update(status=Status.DISCARDED, updated_at=timezone.now())

    def allowing(self, action: Action) -> Self:
        """Those whose status lets the action start."""
        return self.filter(status__in=statuses_allowing(action))


class ItemManager(models.Manager.from_queryset(ItemQuerySet)):  # type: ignore[misc]  # made at run time
    def capture(self, *, owner: object, raw_text: str, enrich: bool = True) -> "Item":
        """Store a text. With `enrich` the database wakes the worker; without, it is archived as it is."""
        item = captured(owner=owner, raw_text=raw_text, enrich=enrich)
        item.save(force_insert=True, using=self.db)
        return item

    def capture_many(self, *, owner: object, raw_texts: Iterable[str], enrich: bool = True) -> list["Item"]:
        """Store all of the texts or, if the database refuses one, none. The worker is woken once for all."""
        items = [captured(owner=owner, raw_text=raw_text, enrich=enrich) for raw_text in raw_texts]
        return cast(list[Item], self.bulk_create(items))


def captured(*, owner: Any, raw_text: str, enrich: bool) -> "Item":
    """An item as it is at its capture, not saved yet."""
    now = timezone.now()
    if enrich:
        return Item(owner=owner, raw_text=raw_text, created_at=now, updated_at=now)
    return Item(
        owner=owner,
        raw_text=raw_text,
        created_at=now,
        updated_at=now,
        status=Status.ARCHIVED,
        enrichment_mode=EnrichmentMode.MANUAL,
        title=first_line(raw_text),
        source_type=SourceType.NOTE,
        confirmed_at=now,
    )


def first_line(text: str) -> str:
    """The first line that is not blank, cut to the length of a manual title."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), text.strip())
    return line[:MANUAL_TITLE_LENGTH].rstrip()


class Item(models.Model):
    """One captured text and what came of it. The table is also the queue of the worker.

    Every column has a default in the database, so that plain SQL needs to give only the owner and the text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="items", db_index=False)
    raw_text = models.TextField()
    # Not set yet is null, in the database as in the API: an empty title is no title at all.
    title = models.CharField(max_length=TITLE_MAX_LENGTH, null=True, blank=True)
    summary = models.CharField(max_length=SUMMARY_MAX_LENGTH, null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=TAG_MAX_LENGTH), default=list, db_default=[], blank=True)
    source_type = models.CharField(max_length=10, choices=SourceType, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ENRICHING, db_default=Status.ENRICHING)
    enrichment_mode = models.CharField(
        max_length=10, choices=EnrichmentMode, default=EnrichmentMode.AI, db_default=EnrichmentMode.AI
    )
    enrichment_error = models.CharField(max_length=ERROR_MAX_LENGTH, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)

    # The columns of the queue. Only items.queue, the triggers and a paced retry write them.
    available_at = models.DateTimeField(db_default=Now(), editable=False)
    fencing_token = models.BigIntegerField(default=0, db_default=0, editable=False)
    attempt_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    claimed_by = models.CharField(max_length=64, null=True, editable=False)

    objects: ClassVar[ItemManager] = ItemManager()

    class Meta:
        db_table = "items"
        # Apart from change_item, which stands for edits of the draft.
        permissions = (
            ("retry_item", "Can retry item"),
            ("confirm_item", "Can confirm item"),
            ("discard_item", "Can discard item"),
        )
        constraints = CONSTRAINTS
        indexes = INDEXES

    def __str__(self) -> str:
        return self.title or f"Item {self.id}"

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        return allowed_actions(Status(self.status))

    @property
    def error_code(self) -> str | None:
        return self.enrichment_error.partition(":")[0] if self.enrichment_error else None

    def edit(self, **changes: object) -> None:
        """Change title, summary or tags of an item that is ready or archived."""
        self._move(Action.EDIT, **changes)

    def confirm(self, **changes: object) -> None:
        """Keep the item for good, with last edits if there are any."""
        self._move(Action.CONFIRM, confirmed_at=timezone.now(), **changes)

    def retry(self) -> None:
        """Send a failed item back to enrichment. The database starts its attempts afresh."""
        self._move(Action.RETRY)

    def discard(self) -> None:
        """Give the item up, whatever it is doing. A call in flight is cancelled."""
        self._move(Action.DISCARD)

    def _move(self, action: Action, **changes: object) -> None:
        """The one door: lock the row, check the transition against what the row says now, save.

        Raises InvalidTransition, and Item.DoesNotExist when the row is gone.
        """
        with transaction.atomic():
            self.refresh_from_db(from_queryset=Item.objects.select_for_update())
            changes["status"] = next_status(Status(self.status), action)
            changes["updated_at"] = timezone.now()
            for name, value in changes.items():
                setattr(self, name, value)
            self.save(update_fields=list(changes))
            # The triggers write columns of their own.
            self.refresh_from_db()

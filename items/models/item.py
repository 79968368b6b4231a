"""The item, and querysets of items."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeAlias, cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now

from items.audit import REQUEST_ID_MAX_LENGTH, attributed, current_actor
from items.models.constraints import CONSTRAINTS
from items.models.indexes import INDEXES
from items.models.limits import ERROR_MAX_LENGTH, REASON_MAX_LENGTH, TRACEPARENT_LENGTH
from items.models.tag_keys import TagKeysField
from items.models.transitions import FORMER_STATUS, allowing
from items.states import (
    PENDING_STATUSES,
    TRANSITIONS,
    Action,
    EnrichmentMode,
    InvalidTransition,
    SourceType,
    Status,
    allowed_actions,
)
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TITLE_MAX_LENGTH, comparable, first_line
from postgres.django.waits import WAITS

Position: TypeAlias = tuple[datetime, uuid.UUID]
"""The place of an item in the order of its list."""

COMPARED_TAGS = Coalesce("tag_keys", "tags", output_field=ArrayField(models.TextField()))


class ItemQuerySet(models.QuerySet["Item"]):
    def owned_by(self, owner: object) -> Self:
        return self.filter(owner=owner)

    def pending(self) -> Self:
        return self.filter(status__in=PENDING_STATUSES)

    def not_discarded(self) -> Self:
        return self.exclude(status=Status.DISCARDED)

    def failed(self, *, error_code: str | None = None, error_reason: str | None = None) -> Self:
        failed = self.filter(status=Status.FAILED)
        if error_reason:
            failed = failed.filter(error_reason=error_reason)
        return failed.filter(enrichment_error__startswith=f"{error_code}:") if error_code else failed

    def tagged(self, tag: str) -> Self:
        """Filter the items with this tag, in any spelling.

        Items without keys, because an earlier version or plain SQL wrote their tags, have it in the spelling given.
        """
        return self.alias(compared=COMPARED_TAGS).filter(
            Q(compared__contains=[comparable(tag)]) | Q(tags__contains=[tag])
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    # Together these mean (created_at, id) < (X, Y), or >. In this form the condition on created_at can use the index.

    def older_than(self, created_at: datetime | Value, item_id: uuid.UUID | Value) -> Self:
        """Filter what follows an item in the order of newest_first."""
        return self.filter(Q(created_at__lt=created_at) | Q(id__lt=item_id), created_at__lte=created_at)

    def newer_than(self, created_at: datetime, item_id: uuid.UUID) -> Self:
        """Filter what follows an item when the oldest comes first."""
        return self.filter(Q(created_at__gt=created_at) | Q(id__gt=item_id), created_at__gte=created_at)

    def batches(self, size: int) -> Iterator[list[Position]]:
        """Yield each item once, oldest first, also when it fails again at once, as in an outage."""
        ordered = self.order_by("created_at", "id")
        batch = list(ordered.values_list("created_at", "id")[:size])
        while batch:
            yield batch
            batch = list(ordered.newer_than(*batch[-1]).values_list("created_at", "id")[:size])

    def perform(self, action: Action, **options: Any) -> int:
        """Call the method of the action. EDIT has none."""
        return int(getattr(self, action.value)(**options))

    def confirm(self) -> int:
        """Archive the items that are ready, and return their number."""
        return self._move(Action.CONFIRM, status=Status.ARCHIVED, confirmed_at=Now())

    def retry(self, *, after: timedelta = timedelta(0)) -> int:
        """Send the failed items back to enrichment, and return their number.

        A trigger resets their attempts and wakes the worker. They become due `after` this time.
        """
        return self._move(Action.RETRY, status=Status.ENRICHING, **_due(after))

    def redraft(self, *, after: timedelta = timedelta(0)) -> int:
        """Let the model draft the items anew, and return the number of those that changed.

        Each keeps its draft until it has the new one. They become due `after` this time.
        """
        return self._move(Action.REDRAFT, status=Status.ENRICHING, **_due(after))

    def discard(self) -> int:
        """Discard the items, and return the number of those that changed. Calls in flight are cancelled."""
        return self._move(Action.DISCARD, status=Status.DISCARDED)

    def restore(self) -> int:
        """Take the items back to the status before their discard or failed redraft, and return their number."""
        return self._move(Action.RESTORE, status=FORMER_STATUS)

    def _move(self, action: Action, **changes: Any) -> int:
        """Lock the rows in the order of their keys, which prevents deadlocks, and change them."""
        rows = self.allowing(action).order_by("pk").select_for_update(no_key=True, of=("self",))
        with attributed():
            return int(Item.objects.filter(pk__in=rows.values("pk")).update(**changes, updated_at=Now()))

    def allowing(self, action: Action) -> Self:
        """Filter the items that allow the action."""
        return self.filter(allowing(action))


def _due(after: timedelta) -> dict[str, Any]:
    return {"available_at": Now() + after} if after else {}


class ItemManager(models.Manager.from_queryset(ItemQuerySet)):  # type: ignore[misc]  # made at run time
    def capture(self, *, owner: object, raw_text: str, enrich: bool = True) -> "Item":
        """Store a text. With `enrich` a trigger wakes the worker; without, the text is archived as it is."""
        item = unsaved_item(owner=owner, raw_text=raw_text, enrich=enrich)
        actor = current_actor()
        item.request_id, item.traceparent = actor.request_id or None, actor.traceparent or None
        item.save(force_insert=True, using=self.db)
        transaction.on_commit(WAITS.record_change)  # outside a transaction the statement has committed itself
        if not enrich:
            item.refresh_from_db(fields=["confirmed_at"])
        return item

    def capture_many(self, *, owner: object, raw_texts: Iterable[str], enrich: bool = True) -> list["Item"]:
        """Store all texts or, if the database refuses one, none. The worker is woken once."""
        items = [unsaved_item(owner=owner, raw_text=raw_text, enrich=enrich) for raw_text in raw_texts]
        return cast(list[Item], self.bulk_create(in_order(items)))


def unsaved_item(*, owner: Any, raw_text: str, enrich: bool) -> "Item":
    """Return a new item that is not saved yet."""
    if enrich:
        return Item(owner=owner, raw_text=raw_text)
    return Item(
        owner=owner,
        raw_text=raw_text,
        status=Status.ARCHIVED,
        enrichment_mode=EnrichmentMode.MANUAL,
        title=first_line(raw_text),
        source_type=SourceType.NOTE,
        confirmed_at=Now(),
    )


def in_order(items: "list[Item]") -> "list[Item]":
    """Let unsaved items be created a microsecond apart, so that lists show them in the order given."""
    for number, item in enumerate(items):
        item.created_at = Now() + timedelta(microseconds=number)
    return items


class Item(models.Model):
    """One captured text with its draft. The table is also the queue of the workers.

    Every column has a default in the database, so that plain SQL can insert only the owner and the text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="items", db_index=False)
    raw_text = models.TextField()
    title = models.CharField(max_length=TITLE_MAX_LENGTH, null=True, blank=True)
    summary = models.CharField(max_length=SUMMARY_MAX_LENGTH, null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=TAG_MAX_LENGTH), default=list, db_default=[], blank=True)
    tag_keys = TagKeysField(models.TextField(), null=True, editable=False)
    source_type = models.CharField(max_length=10, choices=SourceType, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ENRICHING, db_default=Status.ENRICHING)
    enrichment_mode = models.CharField(
        max_length=10, choices=EnrichmentMode, default=EnrichmentMode.AI, db_default=EnrichmentMode.AI
    )
    enrichment_error = models.CharField(max_length=ERROR_MAX_LENGTH, null=True, blank=True)
    # One of items.reasons. Items that plain SQL or an earlier version failed have none.
    error_reason = models.CharField(max_length=REASON_MAX_LENGTH, null=True, blank=True)
    # Only the database's clock counts, because live events look for changes by updated_at.
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)

    # Written by triggers: where a restore leads from a discard and from a failed redraft, and the draft that the last
    # redraft replaced.
    discarded_from = models.CharField(max_length=20, null=True, editable=False)
    redrafted_from = models.CharField(max_length=20, null=True, editable=False)
    former_draft = models.JSONField(null=True, editable=False)

    # The request that captured the item or sent it back to enrichment last, and its trace. Commands and plain SQL have
    # none. A trigger writes them, except at a capture.
    request_id = models.CharField(max_length=REQUEST_ID_MAX_LENGTH, null=True, editable=False)
    traceparent = models.CharField(max_length=TRACEPARENT_LENGTH, null=True, editable=False)

    # The columns of the queue, written by items.queue, by triggers and by ItemQuerySet.
    available_at = models.DateTimeField(db_default=Now(), editable=False)
    fencing_token = models.BigIntegerField(default=0, db_default=0, editable=False)
    attempt_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    refund_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    claimed_by = models.CharField(max_length=64, null=True, editable=False)

    objects: ClassVar[ItemManager] = ItemManager()

    class Meta:
        db_table = "items"
        # In addition to change_item, which permits edits of the draft.
        permissions = (
            ("retry_item", "Can retry item"),
            ("confirm_item", "Can confirm item"),
            ("discard_item", "Can discard item"),
        )
        constraints = CONSTRAINTS
        indexes = INDEXES

    raw_text_is_cut = False
    """Whether raw_text holds only the beginning of the text, as in lists."""

    def __str__(self) -> str:
        return self.title or f"Item {self.id}"

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        return allowed_actions(Status(self.status), mode=self.enrichment_mode, redrafted_from=self.redrafted_from)

    def perform(self, action: Action) -> None:
        """Call the method of the action. Raises ValueError for EDIT, which needs the changes."""
        if action == Action.EDIT:
            raise ValueError("Call edit() with the changes.")
        getattr(self, action.value)()

    def edit(self, **changes: object) -> None:
        """Change the title, summary or tags of an item that is ready or archived."""
        self._move(Action.EDIT, **changes)

    def confirm(self, **changes: object) -> None:
        """Archive the item, with any last edits."""
        self._move(Action.CONFIRM, confirmed_at=Now(), **changes)

    def retry(self) -> None:
        """Send a failed item back to enrichment. A trigger resets its attempts."""
        self._move(Action.RETRY)

    def redraft(self) -> None:
        """Let the model draft the item anew. It keeps its draft until it has the new one."""
        self._move(Action.REDRAFT)

    def discard(self) -> None:
        """Discard the item. A call in flight is cancelled."""
        self._move(Action.DISCARD)

    def restore(self) -> None:
        """Take the item back to the status that it had before it was discarded, or before its redraft failed."""
        self._move(Action.RESTORE)

    def _move(self, action: Action, **changes: object) -> None:
        """Lock the row, check the transition, and save. Every change of the status of one item comes through here.

        Raises InvalidTransition, and Item.DoesNotExist if the row was deleted.
        """
        with attributed():
            self.refresh_from_db(from_queryset=Item.objects.select_for_update())
            status = Status(self.status)
            if action not in self.allowed_actions:
                raise InvalidTransition(status, action, allowed=self.allowed_actions)
            changes["status"] = TRANSITIONS[status][action] or FORMER_STATUS
            changes["updated_at"] = Now()
            for name, value in changes.items():
                setattr(self, name, value)
            self.save(update_fields=[*changes, "tag_keys"])
            # Triggers change other columns.
            self.refresh_from_db()

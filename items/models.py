"""The item and the history of its enrichment."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone

from items.states import (
    PENDING_STATUSES,
    Action,
    EnrichmentMode,
    Outcome,
    SourceType,
    Status,
    allowed_actions,
    next_status,
    statuses_allowing,
)

RAW_TEXT_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 100
SUMMARY_MAX_LENGTH = 500
ERROR_MAX_LENGTH = 500
TAG_MAX_LENGTH = 50
TAGS_MAX_COUNT = 20
MANUAL_TITLE_LENGTH = 60
ERROR_FORM = r"^[A-Z][A-Z0-9_]{0,39}: ."

# Far beyond use, and far from where arithmetic ends.
COUNTER_MAX = 10_000
TOKEN_MAX = 2**62
TIMES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


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
    title = models.CharField(max_length=TITLE_MAX_LENGTH, null=True, blank=True)  # noqa: DJ001
    summary = models.CharField(max_length=SUMMARY_MAX_LENGTH, null=True, blank=True)  # noqa: DJ001
    tags = ArrayField(models.CharField(max_length=TAG_MAX_LENGTH), default=list, db_default=[], blank=True)
    source_type = models.CharField(max_length=10, choices=SourceType, null=True, blank=True)  # noqa: DJ001
    status = models.CharField(max_length=20, choices=Status, default=Status.ENRICHING, db_default=Status.ENRICHING)
    enrichment_mode = models.CharField(
        max_length=10, choices=EnrichmentMode, default=EnrichmentMode.AI, db_default=EnrichmentMode.AI
    )
    enrichment_error = models.CharField(max_length=ERROR_MAX_LENGTH, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)

    # The columns of the queue. Only items.queue, the triggers and a paced retry write them.
    available_at = models.DateTimeField(db_default=Now(), editable=False)
    fencing_token = models.BigIntegerField(default=0, db_default=0, editable=False)
    attempt_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    claimed_by = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001

    objects: ClassVar[ItemManager] = ItemManager()

    class Meta:
        db_table = "items"
        # Apart from change_item, which stands for edits of the draft.
        permissions = (
            ("retry_item", "Can retry item"),
            ("confirm_item", "Can confirm item"),
            ("discard_item", "Can discard item"),
        )
        constraints = (
            models.CheckConstraint(name="items_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="items_mode_known", condition=Q(enrichment_mode__in=EnrichmentMode.values)),
            models.CheckConstraint(
                name="items_source_type_known", condition=Q(source_type__in=SourceType.values) | Q(source_type=None)
            ),
            models.CheckConstraint(
                name="items_raw_text_length",
                condition=Q(
                    GreaterThanOrEqual(Length("raw_text"), 1), LessThanOrEqual(Length("raw_text"), RAW_TEXT_MAX_LENGTH)
                ),
            ),
            models.CheckConstraint(name="items_tags_count", condition=Q(tags__len__lte=TAGS_MAX_COUNT)),
            models.CheckConstraint(
                name="items_failed_has_error",
                condition=~Q(status=Status.FAILED) | Q(enrichment_error__isnull=False),
            ),
            models.CheckConstraint(
                name="items_ready_has_result",
                condition=~Q(status=Status.READY_TO_CONFIRM)
                | Q(title__isnull=False, summary__isnull=False, source_type__isnull=False, tags__len__gte=1),
            ),
            models.CheckConstraint(
                name="items_archived_has_confirmed_at",
                condition=~Q(status=Status.ARCHIVED) | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="items_claimed_is_enriching",
                condition=Q(claimed_by=None, claimed_at=None)
                | Q(claimed_by__isnull=False, claimed_at__isnull=False, status=Status.ENRICHING),
            ),
            # What Python or the next claim could not bear would stop every worker and every list.
            models.CheckConstraint(
                name="items_counters_in_range",
                condition=Q(attempt_count__range=(0, COUNTER_MAX), fencing_token__range=(0, TOKEN_MAX)),
            ),
            models.CheckConstraint(
                name="items_times_in_range",
                condition=Q(
                    created_at__range=TIMES,
                    updated_at__range=TIMES,
                    available_at__range=TIMES,
                )
                & (Q(confirmed_at=None) | Q(confirmed_at__range=TIMES))
                & (Q(claimed_at=None) | Q(claimed_at__range=TIMES)),
            ),
            models.CheckConstraint(
                name="items_error_has_code", condition=Q(enrichment_error=None) | Q(enrichment_error__regex=ERROR_FORM)
            ),
        )
        indexes = (
            models.Index(F("created_at").desc(), F("id").desc(), name="items_newest"),
            models.Index("owner", F("created_at").desc(), F("id").desc(), name="items_owner_newest"),
            models.Index(
                "owner",
                F("created_at").desc(),
                F("id").desc(),
                name="items_owner_pending",
                condition=Q(status__in=PENDING_STATUSES),
            ),
            # The lists of the admin. Its filter by error code reads the code from the index.
            models.Index(
                fields=("-created_at", "-id"),
                include=("enrichment_error",),
                name="items_failed",
                condition=Q(status=Status.FAILED),
            ),
            models.Index(
                fields=("-created_at", "-id"), name="items_ready", condition=Q(status=Status.READY_TO_CONFIRM)
            ),
            models.Index(fields=("-created_at", "-id"), name="items_discarded", condition=Q(status=Status.DISCARDED)),
            # The fair claim walks from owner to owner; the sweep looks for the next item due.
            models.Index("owner", "available_at", "id", name="items_claim", condition=Q(status=Status.ENRICHING)),
            models.Index("available_at", "id", name="items_due", condition=Q(status=Status.ENRICHING)),
            # The newest tags that an owner confirmed: items.vocabulary.
            models.Index(
                "owner",
                F("confirmed_at").desc(),
                name="items_vocabulary",
                condition=Q(status=Status.ARCHIVED) & ~Q(tags=[]),
            ),
            # What changed for an owner since: items.changes.
            models.Index("owner", "updated_at", name="items_owner_changed"),
        )

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


class EnrichmentAttempt(models.Model):
    """One try at enriching one item, kept for as long as the item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    fencing_token = models.BigIntegerField()
    worker = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    error_code = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    model = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)

    class Meta:
        db_table = "enrichment_attempts"
        ordering = ("item", "number")
        constraints = (
            models.UniqueConstraint(fields=("item", "number"), name="attempts_number_unique"),
            # One claim is one attempt: writing a verdict twice, after a connection broke, changes nothing.
            models.UniqueConstraint(fields=("item", "fencing_token"), name="attempts_claim_unique"),
            models.CheckConstraint(name="attempts_outcome_known", condition=Q(outcome__in=Outcome.values)),
            models.CheckConstraint(
                name="attempts_failed_has_code",
                condition=~Q(outcome=Outcome.FAILED) | Q(error_code__isnull=False),
            ),
        )
        indexes = (
            # What a month of attempts took is summed up from the index alone.
            models.Index(
                fields=("-finished_at",),
                include=("prompt_tokens", "completion_tokens", "cost_usd"),
                name="attempts_newest",
            ),
        )

    def __str__(self) -> str:
        return f"Attempt {self.number}"

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class IdempotencyKey(models.Model):
    """A capture that a client may send again without making a second item.

    The answer is kept without the captured text, which the client sends again itself.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    answer = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="idempotency_keys_unique"),)

    def __str__(self) -> str:
        return self.key

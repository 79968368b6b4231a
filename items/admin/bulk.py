"""One action on many items, in short transactions, with retries spread over time."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from math import ceil, isinf
from time import monotonic
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import Max
from django.db.models.functions import Now

from items.admin.labels import Count
from items.admin.queries import COUNT_LIMIT, bounded_count
from items.models import Item, ItemQuerySet
from items.models.item import Position
from items.models.transitions import allowing
from items.states import Action, Status

BATCH_SIZE = 300
"""Items in one transaction, and retried items that become due in one minute, so that new captures get through.

Five per second is about what a provider allows a small account.
"""

RETRY_HORIZON = timedelta(days=7)
"""Bulk retries queue up behind each other. An item that is due later than this was not scheduled by one."""

TIME_LIMIT_SECONDS = 10.0
"""Stop then and report what remains, before a proxy gives up."""

CALLS_THE_MODEL = (Action.RETRY, Action.REDRAFT)

NONE = Count(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """Numbers of items. `refused` have a status that does not allow the action, `missing` were deleted meanwhile,
    and `remaining` were not reached within the time limit.
    """

    changed: int
    refused: Count = NONE
    missing: int = 0
    remaining: Count = NONE
    minutes: int = 0
    """Time until the last of the retried items becomes due."""


def change_selected(ids: Collection[UUID], action: Action) -> BulkResult:
    """Change the items of one page, in one transaction."""
    items = Item.objects.filter(pk__in=ids)
    found = items.count()
    changed = _change(items, action)
    return BulkResult(changed=changed, refused=Count(max(0, found - changed)), missing=max(0, len(ids) - found))


def change_matching(items: ItemQuerySet, action: Action, *, seconds: float | None = None) -> BulkResult:
    """Change the items in batches, until none remains or the time limit is reached, TIME_LIMIT_SECONDS by default."""
    refused = bounded_count(items.exclude(allowing(action)))
    changed = minutes = 0
    delays = _retry_delays() if action in CALLS_THE_MODEL else None

    def change(ids: list[UUID]) -> None:
        nonlocal changed, minutes
        delay = next(delays) if delays else 0
        changed += _change(Item.objects.filter(pk__in=ids), action, after=timedelta(minutes=delay))
        minutes = delay

    remaining = in_batches(items.allowing(action), change, seconds=seconds)
    if changed > COUNT_LIMIT:
        _update_statistics()
    return BulkResult(changed=changed, refused=refused, remaining=remaining, minutes=minutes)


def in_batches(items: ItemQuerySet, change: Callable[[list[UUID]], None], *, seconds: float | None = None) -> Count:
    """Change batch after batch, oldest first, and return the number of items that the time limit left unchanged.

    A statement that the database ends by its own deadline counts as that limit, except in the first batch: what earlier
    batches changed stays changed, and can be reported.
    """
    limit = TIME_LIMIT_SECONDS if seconds is None else seconds
    ends_at = monotonic() + limit
    done: Position | None = None
    try:
        for batch in items.batches(BATCH_SIZE):
            change([item_id for _, item_id in batch])
            done = batch[-1]
            if monotonic() > ends_at:
                break
        else:
            return NONE
    except OperationalError:
        if done is None or isinf(limit):
            raise
    return bounded_count(items.newer_than(*done)) if done else NONE


def _update_statistics() -> None:
    """Do not wait for autovacuum: the estimates of bounded_count depend on the planner's statistics.

    A role that does not own the table gets a warning from PostgreSQL and keeps the older estimates.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items (status, available_at, enrichment_error, error_reason)")


def _retry_delays() -> Iterator[int]:
    """Yield the minutes until each batch becomes due: none for the first, so that a small retry never waits.

    The others follow at intervals of one minute, after all that earlier bulk retries have scheduled.
    """
    yield 0
    yield from count(1 + _minutes_scheduled())


def _minutes_scheduled() -> int:
    """Return the time until the last scheduled item becomes due."""
    scheduled = Item.objects.filter(status=Status.ENRICHING, claimed_by=None, available_at__lt=Now() + RETRY_HORIZON)
    last = scheduled.aggregate(wait=Max("available_at") - Now())["wait"]
    return 0 if last is None else max(0, ceil(last / timedelta(minutes=1)))


def minutes_to_retry(items: Count) -> int:
    """Return the time until the last of that many retried items becomes due."""
    return max(0, items.number - 1) // BATCH_SIZE


def _change(items: ItemQuerySet, action: Action, *, after: timedelta = timedelta(0)) -> int:
    """Check the status in the statement that changes it."""
    return items.perform(action, **({"after": after} if action in CALLS_THE_MODEL else {}))

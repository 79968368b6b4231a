"""Synchronous shortcuts for the steps of the queue protocol."""

from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from items import queue
from items.claims import Claim, Finished, Verdict
from items.models import Item
from items.states import Outcome, SourceType, Status
from postgres.session import Fetch, Parameters, Row

Value = TypeVar("Value")


async def fetch(statement: str, parameters: Parameters) -> list[Row]:
    """Use the connection of Django, so that the test's transaction includes it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall() if cursor.description else []
        return rows


@asynccontextmanager
async def atomic() -> AsyncIterator[Fetch]:
    with transaction.atomic():
        yield fetch


def at_once(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Return the result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Value = end.value
        return result
    coroutine.close()
    raise AssertionError("it waited")


def claim(limit: int = 10, *, worker: str = "worker", lease_seconds: float = 60, **options: int) -> list[Claim]:
    return at_once(queue.claim(fetch, limit, worker=worker, lease_seconds=lease_seconds, **options))


def next_due_in() -> float | None:
    seconds, _ = at_once(queue.next_due_in(fetch))
    return seconds


def renew(claims: Collection[Claim], *, lease_seconds: float) -> set[UUID]:
    return at_once(queue.renew(fetch, claims, lease_seconds=lease_seconds))


def finish(verdicts: Sequence[Verdict]) -> Finished:
    return at_once(queue.finish(atomic, verdicts))


def success(claimed: Claim, **fields: Any) -> Verdict:
    now = timezone.now()
    usual: dict[str, Any] = {
        "outcome": Outcome.SUCCEEDED,
        "status": Status.READY_TO_CONFIRM,
        "title": "A title",
        "summary": "A summary.",
        "tags": ("a", "b", "c"),
        "source_type": SourceType.NOTE,
        "started_at": now,
        "finished_at": now,
    }
    return Verdict(claim=claimed, **{**usual, **fields})


def release(claimed: Claim) -> Verdict:
    now = timezone.now()
    return Verdict(
        claim=claimed,
        outcome=Outcome.RELEASED,
        status=Status.ENRICHING,
        started_at=now,
        finished_at=now,
        is_refunded=True,
    )


def expire_leases() -> None:
    Item.objects.update(available_at=timezone.now() - timedelta(seconds=1))


def outcomes(item: Item) -> list[str]:
    return list(item.attempts.order_by("number").values_list("outcome", flat=True))

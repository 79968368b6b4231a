"""The steps of the queue protocol, in short."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from items import queue
from items.claims import Claim, Verdict
from items.models import Item
from items.states import Outcome, SourceType, Status


def claim(limit: int = 10, *, worker: str = "worker", lease_seconds: float = 60, **options: int) -> list[Claim]:
    return queue.claim(limit, worker=worker, lease_seconds=lease_seconds, **options)


def success(claimed: Claim, **fields: Any) -> Verdict:
    now = timezone.now()
    usual: dict[str, Any] = {
        "outcome": Outcome.SUCCEEDED,
        "status": Status.READY_TO_CONFIRM,
        "title": "A title",
        "summary": "A summary.",
        "tags": ("a", "b", "c"),
        "source_type": SourceType.NOTE,
    }
    return Verdict(claim=claimed, started_at=now, finished_at=now, **{**usual, **fields})


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

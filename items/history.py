"""What is added to the history of attempts when a verdict comes too late. Written while the items are locked."""

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Max

from items.claims import Verdict
from items.models import EnrichmentAttempt
from items.states import Outcome


def record_late(verdicts: Sequence[Verdict], *, discarded: Collection[UUID]) -> None:
    """Account for verdicts whose item has moved on: it was discarded or taken over, or this is a repetition."""
    missing = []
    for verdict in verdicts:
        given_up = Outcome.CANCELLED if verdict.claim.item_id in discarded else Outcome.LOST
        attempt = _attempt(verdict, outcome=given_up if verdict.is_released else Outcome.STALE)
        recorded = EnrichmentAttempt.objects.filter(item_id=attempt.item_id, fencing_token=attempt.fencing_token)
        if not recorded.exists():
            missing.append(attempt)
        elif attempt.outcome == Outcome.STALE:
            # The worker that was given up as lost has answered after all, and the answer had its price.
            recorded.filter(outcome=Outcome.LOST).update(
                outcome=Outcome.STALE,
                finished_at=attempt.finished_at,
                model=attempt.model,
                prompt_tokens=attempt.prompt_tokens,
                completion_tokens=attempt.completion_tokens,
                cost_usd=attempt.cost_usd,
            )
    _append(missing)


def _append(attempts: Sequence[EnrichmentAttempt]) -> None:
    """Number the attempts of each item onwards. The items are locked, so that no two get the same number."""
    latest = (
        EnrichmentAttempt.objects.filter(item_id__in={attempt.item_id for attempt in attempts})
        .order_by()
        .values_list("item_id")
        .annotate(Max("number"))
    )
    numbers = Counter(dict(latest))
    for attempt in attempts:
        numbers[attempt.item_id] += 1
        attempt.number = numbers[attempt.item_id]
    EnrichmentAttempt.objects.bulk_create(attempts)


def _attempt(verdict: Verdict, *, outcome: Outcome) -> EnrichmentAttempt:
    return EnrichmentAttempt(
        item_id=verdict.claim.item_id,
        fencing_token=verdict.claim.fencing_token,
        worker=verdict.claim.worker,
        started_at=verdict.started_at,
        finished_at=verdict.finished_at,
        outcome=outcome,
        error_code=verdict.error_code,
        model=verdict.model,
        prompt_tokens=verdict.prompt_tokens,
        completion_tokens=verdict.completion_tokens,
        cost_usd=verdict.cost_usd,
    )

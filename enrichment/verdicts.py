"""The verdicts of an attempt, from what the provider did."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from enrichment.errors import EnrichmentError, InvalidOutput, RateLimited
from enrichment.schemas import EnrichmentResult, Usage
from items.claims import Claim, Verdict
from items.states import Outcome, Status
from postgres.backoff import Backoff

# At the default of max_refunds, a text outlasts an outage of most of a day.
BACKOFF = Backoff(first_seconds=2.0, longest_seconds=900.0)


def succeeded(claim: Claim, started_at: datetime, result: EnrichmentResult) -> Verdict:
    return _verdict(
        claim,
        started_at,
        result.usage,
        outcome=Outcome.SUCCEEDED,
        status=Status.READY_TO_CONFIRM,
        title=result.title,
        summary=result.summary,
        tags=result.tags,
        source_type=result.source_type,
        tags_filled=result.tags_filled,
    )


def failed(claim: Claim, started_at: datetime, error: EnrichmentError) -> Verdict:
    """Fail the item. Its owner may retry it."""
    return _verdict(
        claim,
        started_at,
        error.usage,
        outcome=Outcome.FAILED,
        status=Status.FAILED,
        error_code=error.reason.code,
        error_reason=error.reason,
        enrichment_error=error.message,
    )


def postponed(claim: Claim, started_at: datetime, error: EnrichmentError, *, is_refunded: bool) -> Verdict:
    """Retry the item later, not before the provider's Retry-After. With that of a rate limit, no backoff is added."""
    backoff_seconds = BACKOFF.jittered_seconds(claim.attempt + claim.refunds)
    if isinstance(error, RateLimited) and error.retry_after:
        backoff_seconds = 0.0
    return _verdict(
        claim,
        started_at,
        error.usage,
        outcome=Outcome.FAILED,
        status=Status.ENRICHING,
        error_code=error.reason.code,
        error_reason=error.reason,
        delay_seconds=max(backoff_seconds, error.retry_after or 0),
        is_refunded=is_refunded,
    )


def unwritable(verdict: Verdict) -> Verdict:
    """Fail an item whose draft the database refuses. Its cost is kept."""
    return replace(
        failed(verdict.claim, verdict.started_at, InvalidOutput()),
        model=verdict.model,
        prompt_tokens=verdict.prompt_tokens,
        completion_tokens=verdict.completion_tokens,
        cost_usd=verdict.cost_usd,
    )


def released(claim: Claim, *, usage: Usage | None = None) -> Verdict:
    """Give the item back as if it had not been claimed."""
    return _verdict(claim, claim.claimed_at, usage, outcome=Outcome.RELEASED, status=Status.ENRICHING, is_refunded=True)


def _verdict(claim: Claim, started_at: datetime, usage: Usage | None, **fields: Any) -> Verdict:
    if usage:
        # Not by asdict(), which would take longer than all the rest.
        fields["model"] = usage.model
        fields["prompt_tokens"] = usage.prompt_tokens
        fields["completion_tokens"] = usage.completion_tokens
        fields["cost_usd"] = usage.cost_usd
    return Verdict(claim=claim, started_at=started_at, finished_at=timezone.now(), **fields)

"""One attempt: from a claim to a verdict."""

import asyncio
from collections.abc import Awaitable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

import structlog
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from enrichment import metrics, traces, verdicts
from enrichment.breaker import Breaker
from enrichment.errors import (
    Abandoned,
    EnrichmentError,
    Interrupted,
    ProviderTimeout,
    RateLimited,
    UnexpectedFailure,
)
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult
from enrichment.vocabulary import Vocabularies
from items.claims import Claim, Verdict
from items.states import Status

logger = structlog.get_logger(__name__)

# Added to the provider's own deadline.
DEADLINE_MARGIN_SECONDS = 5.0


class Enricher:
    """Calls the provider under a deadline, and decides what an error means for the item."""

    def __init__(
        self,
        provider: EnrichmentProvider,
        *,
        vocabularies: Vocabularies,
        breaker: Breaker,
        deadline_seconds: float,
        max_attempts: int,
        max_refunds: int,
    ) -> None:
        self._provider = provider
        self._vocabularies = vocabularies
        self._breaker = breaker
        self._deadline_seconds = deadline_seconds
        self._max_attempts = max_attempts
        self._max_refunds = max_refunds

    async def enrich(self, claim: Claim) -> Verdict:
        """Return the verdict. Raise nothing but asyncio.CancelledError.

        Log lines have the id of the request that asked for the draft.
        """
        log_context = bound_contextvars(request_id=claim.request_id) if claim.request_id else nullcontext()
        with log_context, traces.attempt(claim) as end_span:
            verdict = await self._attempt(claim)
            end_span(verdict)
            return verdict

    async def _attempt(self, claim: Claim) -> Verdict:
        started_at = timezone.now()
        try:
            result = await self._call_provider(claim)
        except Interrupted as interrupted:
            return verdicts.released(claim, usage=interrupted.usage)
        except EnrichmentError as error:
            return self._error_verdict(error, claim, started_at=started_at)
        self._record_response()
        verdict = verdicts.succeeded(claim, started_at, result)
        logger.info("enrichment.succeeded", **_log_fields(verdict), tags_filled=verdict.tags_filled)
        return verdict

    async def _call_provider(self, claim: Claim) -> EnrichmentResult:
        """Return the draft within the deadline, or raise EnrichmentError, Interrupted or asyncio.CancelledError."""
        if claim.attempt > self._max_attempts:
            raise Abandoned
        return await within_deadline(self._draft(claim), seconds=self._deadline_seconds)

    async def _draft(self, claim: Claim) -> EnrichmentResult:
        """Draft, with the tags spelled as the owner spells them."""
        spellings = await self._vocabularies.get(claim.owner_id)
        with traces.provider_call(self._provider):
            result = await self._provider.enrich_item(claim.raw_text, vocabulary=tuple(spellings.tags))
        return replace(result, tags=spellings.respelled(result.tags))

    def _error_verdict(self, error: EnrichmentError, claim: Claim, *, started_at: datetime) -> Verdict:
        self._record_error(error)
        is_refunded = self._is_refundable(error) and claim.refunds < self._max_refunds
        if is_refunded or (error.is_transient and claim.attempt < self._max_attempts):
            verdict = verdicts.postponed(claim, started_at, error, is_refunded=is_refunded)
        else:
            verdict = verdicts.failed(claim, started_at, error)
        logger.warning(
            "enrichment.failed" if verdict.status == Status.FAILED else "enrichment.postponed",
            **_log_fields(verdict),
            cause=error.cause,
            http_status=error.http_status,
        )
        return verdict

    def _record_error(self, error: EnrichmentError) -> None:
        if error.is_transient and not isinstance(error, RateLimited):
            self._breaker.record_failure()
            metrics.provider_down.set(self._breaker.is_open)
        elif not isinstance(error, Abandoned):
            self._record_response()

    def _is_refundable(self, error: EnrichmentError) -> bool:
        """Return whether the item is not to blame, and the attempt cost nothing."""
        is_outage = error.is_transient and self._breaker.is_open
        return (is_outage or isinstance(error, RateLimited)) and not (error.usage and error.usage.prompt_tokens)

    def _record_response(self) -> None:
        self._breaker.record_response()
        metrics.provider_down.set(0)


async def within_deadline(draft: Awaitable[EnrichmentResult], *, seconds: float) -> EnrichmentResult:
    """Return the draft in time, or raise EnrichmentError, Interrupted or asyncio.CancelledError."""
    try:
        async with asyncio.timeout(seconds):
            return await draft
    except EnrichmentError:
        raise
    except TimeoutError:
        failure: EnrichmentError = ProviderTimeout()
    except (Interrupted, asyncio.CancelledError) as cancelled:
        if is_cancelled():
            raise
        failure = unexpected_cancellation(cancelled)
    except Exception as error:  # an error of one item must not end the worker
        logger.error("enrichment.crashed", exc_info=error)  # the log has no message
        failure = UnexpectedFailure(cause=type(error).__name__)
    # Raised here, so that the error has no context, which may hold the text.
    raise failure


def is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def unexpected_cancellation(cancelled: Interrupted | asyncio.CancelledError) -> EnrichmentError:
    """Return the error for a cancellation that the worker did not request, so that it counts as an attempt."""
    if isinstance(cancelled, Interrupted):
        return ProviderTimeout(usage=cancelled.usage)  # by the deadline
    logger.error("enrichment.crashed", exc_info=cancelled)
    return UnexpectedFailure(cause="CancelledError")  # leaked by a library


def _log_fields(verdict: Verdict) -> dict[str, object]:
    """Return the log fields of an attempt, without any text."""
    duration = verdict.finished_at - verdict.started_at
    return {
        "item_id": str(verdict.claim.item_id),
        "attempt": verdict.claim.attempt,
        "duration_ms": round(duration.total_seconds() * 1000),
        "error_code": verdict.error_code,
        "error_reason": verdict.error_reason,
        "model": verdict.model,
    }

"""One attempt: a claim goes in, a verdict comes out, whatever the provider does."""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog
from django.utils import timezone

from enrichment import metrics, verdicts
from enrichment.breaker import Breaker
from enrichment.errors import Abandoned, EnrichmentError, Interrupted, ProviderTimeout, UnexpectedFailure
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult
from enrichment.vocabulary import Vocabularies
from items.claims import Claim, Verdict
from items.states import Status

logger = structlog.get_logger(__name__)


class Enricher:
    """Asks the provider under a deadline, and decides what an error means for the item."""

    def __init__(
        self,
        provider: EnrichmentProvider,
        *,
        vocabularies: Vocabularies,
        breaker: Breaker,
        deadline_seconds: float,
        max_attempts: int,
    ) -> None:
        self._provider = provider
        self._vocabularies = vocabularies
        self._breaker = breaker
        self._deadline_seconds = deadline_seconds
        self._max_attempts = max_attempts

    async def enrich(self, claim: Claim) -> Verdict:
        """Return the verdict. Only cancellation, and nothing else, is raised."""
        started_at = timezone.now()
        try:
            result = await self._ask_provider(claim)
        except Interrupted as interrupted:
            return verdicts.released(claim, usage=interrupted.usage)
        except EnrichmentError as error:
            return self._verdict_on(error, claim, started_at=started_at)
        self._provider_answered()
        verdict = verdicts.succeeded(claim, started_at, result)
        logger.info("enrichment.succeeded", **_described(verdict))
        return verdict

    async def _ask_provider(self, claim: Claim) -> EnrichmentResult:
        """Whatever a provider does, this ends before the deadline, with a result or an EnrichmentError."""
        if claim.attempt > self._max_attempts:
            raise Abandoned
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._draft(claim)
        except EnrichmentError:
            raise
        except TimeoutError:
            failure: EnrichmentError = ProviderTimeout()
        except (Interrupted, asyncio.CancelledError) as cancelled:
            if is_cancelled():
                raise
            failure = unasked(cancelled)
        except Exception as error:  # one item's trouble is not the worker's
            failure = UnexpectedFailure(cause=type(error).__name__)
        # Raised here, so that no library's text travels along as the context.
        raise failure

    async def _draft(self, claim: Claim) -> EnrichmentResult:
        """Have it drafted, and its tags spelled as the owner spells them. No provider has to be trusted with that."""
        words = await self._vocabularies.of(claim.owner_id)
        result = await self._provider.enrich_item(claim.raw_text, vocabulary=tuple(words.tags))
        return replace(result, tags=words.respelled(result.tags))

    def _verdict_on(self, error: EnrichmentError, claim: Claim, *, started_at: datetime) -> Verdict:
        if error.is_transient:
            self._breaker.failed()
            metrics.provider_down.set(self._breaker.is_open)
        elif not isinstance(error, Abandoned):
            self._provider_answered()
        is_outage = error.is_transient and self._breaker.is_open
        if is_outage or (error.is_transient and claim.attempt < self._max_attempts):
            verdict = verdicts.postponed(claim, started_at, error, is_refunded=is_outage)
        else:
            verdict = verdicts.failed(claim, started_at, error)
        logger.warning(
            "enrichment.failed" if verdict.status == Status.FAILED else "enrichment.postponed",
            **_described(verdict),
            cause=error.cause,
            http_status=error.http_status,
        )
        return verdict

    def _provider_answered(self) -> None:
        self._breaker.answered()
        metrics.provider_down.set(0)


def is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def unasked(cancelled: Interrupted | asyncio.CancelledError) -> EnrichmentError:
    """What a cancellation means that the worker did not ask for. The item must not go round for ever."""
    if isinstance(cancelled, Interrupted):
        return ProviderTimeout(usage=cancelled.usage)  # by the deadline
    return UnexpectedFailure(cause="CancelledError")  # leaked by a library


def _described(verdict: Verdict) -> dict[str, object]:
    """What the log says of an attempt: nothing of the text, nothing of the result."""
    duration = verdict.finished_at - verdict.started_at
    return {
        "item_id": str(verdict.claim.item_id),
        "attempt": verdict.claim.attempt,
        "duration_ms": round(duration.total_seconds() * 1000),
        "error_code": verdict.error_code,
        "model": verdict.model,
    }

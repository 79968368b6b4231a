"""One text and one model, without the queue and the database: for dry runs and for the doctor."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.enricher import DEADLINE_MARGIN_SECONDS, within_deadline
from enrichment.errors import EnrichmentError, Interrupted
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from enrichment.schemas import EnrichmentResult, Usage

STUB = "stub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A draft, or the reason why there is none. InvalidSettings means that the model was not called.

    `model` is the one that responded, or was called last.
    """

    model: str
    outcome: EnrichmentResult | EnrichmentError | InvalidSettings
    requests: int = 0
    seconds: float = 0.0

    @property
    def draft(self) -> EnrichmentResult | None:
        return self.outcome if isinstance(self.outcome, EnrichmentResult) else None

    @property
    def error(self) -> str:
        """The reason why there is no draft, with what the log of the worker would show."""
        error = self.outcome
        if not isinstance(error, EnrichmentError):
            return str(error) if isinstance(error, InvalidSettings) else ""
        seen = ", ".join(f"{part}" for part in (error.cause, error.http_status) if part)
        return f"{error.message} ({seen})" if seen else error.message

    @property
    def usage(self) -> Usage | None:
        return None if isinstance(self.outcome, InvalidSettings) else self.outcome.usage


def with_one_model(settings: LLMSettings, model: str) -> LLMSettings:
    """Return the settings for this model alone, or for the stub. Raises InvalidSettings."""
    if model == STUB:
        return settings.model_copy(update={"provider": STUB, "model": STUB, "models": ""})
    return settings.with_one_model(model)


def try_models(text: str, each: Sequence[LLMSettings]) -> list[Trial]:
    """Try one after the other, so that their times can be compared. Raises KeyboardInterrupt."""
    # Built outside of the event loop, which would delay Ctrl-C until the libraries are imported.
    providers = [provider_or_error(settings) for settings in each]
    return asyncio.run(try_all(text, list(zip(each, providers, strict=True))))


def provider_or_error(settings: LLMSettings) -> EnrichmentProvider | InvalidSettings:
    try:
        return build_provider(settings)
    except InvalidSettings as error:
        return error


async def try_all(text: str, each: Sequence[tuple[LLMSettings, EnrichmentProvider | InvalidSettings]]) -> list[Trial]:
    """Try one after the other, and close the providers."""
    try:
        return [await _try_one(text, settings, provider) for settings, provider in each]
    except Interrupted:
        raise asyncio.CancelledError from None
    finally:
        # Only now: closing one closes the connections of all.
        for _, provider in each:
            if isinstance(provider, EnrichmentProvider):
                await provider.close()


async def _try_one(text: str, settings: LLMSettings, provider: EnrichmentProvider | InvalidSettings) -> Trial:
    model = STUB if settings.provider == STUB else settings.model_list[0].model
    if isinstance(provider, InvalidSettings):
        return Trial(model=model, outcome=provider)
    started = time.perf_counter()
    outcome: EnrichmentResult | EnrichmentError
    try:
        outcome = await within_deadline(
            provider.enrich_item(text), seconds=settings.deadline_seconds + DEADLINE_MARGIN_SECONDS
        )
    except EnrichmentError as error:
        outcome = error.with_traceback(None)
    seconds = time.perf_counter() - started
    model = outcome.usage.model if outcome.usage else model
    return Trial(model=model, outcome=outcome, requests=provider.requests, seconds=seconds)

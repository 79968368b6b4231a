"""Can the model be reached, and does it take the key?"""

import asyncio
import time

from django.conf import settings

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import EnrichmentError
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from litevault.operations.doctor.finding import Finding

SAMPLE_TEXT = "LiteVault asks whether the model can be reached. It should answer with a title and a few tags."


def model(*, asks_model: bool) -> Finding:
    llm: LLMSettings = settings.LLM
    if llm.provider == "stub":
        return Finding("model", True, "the stub: no model is asked")
    try:
        provider = build_provider(one_short_try(llm))
    except InvalidSettings as error:
        return Finding("model", False, str(error), "Set the variable, or LITEVAULT_LLM_PROVIDER=stub.")
    if not asks_model:
        return Finding("model", True, f"{llm.model}, not asked")
    started = time.perf_counter()
    try:
        asyncio.run(_ask(provider))
    except EnrichmentError as error:
        seen = ", ".join(f"{part}" for part in (error.cause, error.http_status) if part)
        return Finding("model", False, f"{llm.model}: {error.message} ({seen})", "See docs/errors.md for this code.")
    return Finding("model", True, f"{llm.model} answers in {time.perf_counter() - started:.1f} s")


def one_short_try(llm: LLMSettings) -> LLMSettings:
    """A person waits for the answer."""
    return llm.model_copy(update={"max_retries": 0, "timeout_seconds": min(llm.timeout_seconds, 15)})


async def _ask(provider: EnrichmentProvider) -> None:
    try:
        await provider.enrich_item(SAMPLE_TEXT)
    finally:
        await provider.close()

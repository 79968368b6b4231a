"""Check of the model: it responds, and accepts the key."""

import asyncio
import time

from django.conf import settings

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import EnrichmentError
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from litevault.operations.doctor.result import CheckResult

SAMPLE_TEXT = "LiteVault checks whether the model responds. A title and a few tags are enough."


def model(*, calls_model: bool) -> CheckResult:
    llm: LLMSettings = settings.LLM
    if llm.provider == "stub":
        return CheckResult("model", "the stub needs no model")
    try:
        provider = build_provider(with_one_short_try(llm))
    except InvalidSettings as error:
        return CheckResult("model", str(error), "Set the variable, or LITEVAULT_LLM_PROVIDER=stub.")
    names = ", ".join(model.model for model in llm.model_list)
    if not calls_model:
        return CheckResult("model", f"{names}, not called")
    started = time.perf_counter()
    try:
        model_name = asyncio.run(_ask(provider))
    except EnrichmentError as error:
        seen = ", ".join(f"{part}" for part in (error.cause, error.http_status) if part)
        return CheckResult("model", f"{names}: {error.message} ({seen})", "See docs/errors.md for this code.")
    return CheckResult("model", f"{model_name} responds in {time.perf_counter() - started:.1f} s")


def with_one_short_try(llm: LLMSettings) -> LLMSettings:
    """Limit the time, because a person waits for the result."""
    return llm.model_copy(update={"max_retries": 0, "timeout_seconds": min(llm.timeout_seconds, 15)})


async def _ask(provider: EnrichmentProvider) -> str:
    """Return the name of the model that responded."""
    try:
        return (await provider.enrich_item(SAMPLE_TEXT)).usage.model
    finally:
        await provider.close()

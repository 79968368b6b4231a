"""Check of the model: it responds, and accepts the key."""

import asyncio

from django.conf import settings

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.trial import provider_or_error, try_all
from litevault.operations.doctor.result import CheckResult

SAMPLE_TEXT = "LiteVault checks whether the model responds. A title and a few tags are enough."


def model(*, calls_model: bool) -> CheckResult:
    llm: LLMSettings = settings.LLM
    if llm.provider == "stub":
        return CheckResult("model", "the stub needs no model")
    llm = with_one_short_try(llm)
    provider = provider_or_error(llm)
    if isinstance(provider, InvalidSettings):
        return CheckResult("model", str(provider), "Set the variable, or LITEVAULT_LLM_PROVIDER=stub.")
    names = ", ".join(model.model for model in llm.model_list)
    if not calls_model:
        return CheckResult("model", f"{names}, not called")
    (trial,) = asyncio.run(try_all(SAMPLE_TEXT, [(llm, provider)]))
    if trial.draft is None:
        return CheckResult("model", f"{names}: {trial.error}", "See docs/errors.md for this code.")
    return CheckResult("model", f"{trial.model} responds in {trial.seconds:.1f} s")


def with_one_short_try(llm: LLMSettings) -> LLMSettings:
    """Limit the time, because a person waits for the result."""
    return llm.model_copy(update={"max_retries": 0, "timeout_seconds": min(llm.timeout_seconds, 15)})

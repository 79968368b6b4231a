"""Which provider the settings ask for."""

import gc

from enrichment.config import LLMSettings
from enrichment.providers.base import EnrichmentProvider


def build_provider(settings: LLMSettings) -> EnrichmentProvider:
    """Build the provider and import what it needs, which takes seconds for litellm: call it once, in the worker.

    Raises InvalidSettings, which names the variable, if it cannot work.
    """
    if settings.provider == "stub":
        from enrichment.providers.stub import StubProvider  # noqa: PLC0415  # only what is asked for is imported

        return StubProvider()
    gc.disable()  # a fourth of the time would go into collecting, and all that is imported stays
    try:
        from enrichment.providers.litellm import LiteLLMProvider  # noqa: PLC0415  # it weighs 190 MB
    finally:
        gc.enable()

    provider = LiteLLMProvider(settings)
    # What was imported stays for good. Left to the collector, a full round over it stops the loop for 0.2 s.
    gc.collect()
    gc.freeze()
    return provider

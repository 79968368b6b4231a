"""Builds the configured provider."""

import gc

from enrichment.config import LLMSettings
from enrichment.providers.base import EnrichmentProvider


def build_provider(settings: LLMSettings) -> EnrichmentProvider:
    """Build the provider. Importing litellm takes seconds: call this once, in the worker.

    Raises InvalidSettings, which names the variable.
    """
    if settings.provider == "stub":
        from enrichment.providers.stub import StubProvider  # as below

        return StubProvider()
    gc.disable()  # collecting would take a fourth of the time, and the modules stay
    try:
        from enrichment.providers.litellm import LiteLLMProvider  # it weighs 190 MB
    finally:
        gc.enable()

    provider = LiteLLMProvider(settings)
    # The imported modules stay. A full collection that includes them stops the loop for 0.2 s.
    gc.collect()
    gc.freeze()
    return provider

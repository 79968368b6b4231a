"""Real providers, whose libraries are imported by the first test that needs them and not to collect it."""

import gc
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider

MODEL = "openai/gpt-4o-mini"


@pytest.fixture(scope="session")
def litellm_provider() -> "type[LiteLLMProvider]":
    """The class, to be asked for instead of imported."""
    gc.disable()
    try:
        from enrichment.providers.litellm import LiteLLMProvider  # it takes seconds
    finally:
        gc.enable()
    return LiteLLMProvider


class MakeProvider(Protocol):
    def __call__(self, **settings: Any) -> "LiteLLMProvider": ...

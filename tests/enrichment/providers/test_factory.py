"""The provider that the settings select."""

import gc
from typing import TYPE_CHECKING

import pytest

from enrichment.config import LLMSettings
from enrichment.providers.factory import build_provider
from enrichment.providers.stub import StubProvider

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider


@pytest.fixture
def unfrozen() -> None:
    gc.unfreeze()


def test_stub_is_built_and_freezes_nothing(unfrozen: None) -> None:
    provider = build_provider(LLMSettings(provider="stub"))

    assert type(provider) is StubProvider
    assert gc.get_freeze_count() == 0


def test_litellm_provider_is_built_and_its_modules_are_frozen(
    keys: None, unfrozen: None, litellm_provider: "type[LiteLLMProvider]"
) -> None:
    provider = build_provider(LLMSettings(model="openai/gpt-4o", max_retries=7))

    assert isinstance(provider, litellm_provider)
    assert [route.model for route in provider._routes] == ["openai/gpt-4o"]
    assert gc.get_freeze_count() > 0
    gc.unfreeze()

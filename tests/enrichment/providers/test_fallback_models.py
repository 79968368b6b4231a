"""Fallback models, each with its own deadline."""

from decimal import Decimal

import pytest

from enrichment.errors import InvalidOutput, KeyRefused, ProviderTimeout, ProviderUnavailable
from tests.enrichment.fake_llm_answers import PROMPT_TOKENS
from tests.enrichment.fake_llm_server import FakeLLMServer, serving
from tests.enrichment.fault_matrix import ALL_TRIES
from tests.enrichment.leaks import KEY, TEXT
from tests.plugins.providers import MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

PRICE = Decimal("0.00021")
PRICE_OF_FALLBACK = Decimal("0.0035")


@pytest.mark.parametrize("answer", ["status_401", "status_503", "wrong_schema", "refusal", "reset"])
async def test_next_model_is_called_when_the_first_fails(
    answer: str, provider: MakeProvider, server: FakeLLMServer
) -> None:
    server.script(answer, model="gpt-4o-mini")

    result = await provider(fallback_models="openai/gpt-4o").enrich_item(TEXT)

    assert result.usage.model == "openai/gpt-4o"
    assert [call.model for call in server.calls].count("gpt-4o") == 1


async def test_silent_model_leaves_time_for_the_next_one(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("hang", model="gpt-4o-mini")

    result = await provider(fallback_models="openai/gpt-4o", timeout_seconds=1.5).enrich_item(TEXT)

    assert result.usage.model == "openai/gpt-4o"


async def test_fallbacks_do_not_shorten_a_try(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("slow", model="gpt-4o-mini")
    models = tuple(f"openai/other-{number}" for number in range(399))

    result = await provider(fallback_models=models, timeout_seconds=60, max_retries=0).enrich_item(TEXT)

    assert result.usage.model == "openai/gpt-4o-mini"


async def test_usage_includes_useless_replies_of_the_first_model(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("wrong_schema", model="gpt-4o-mini")

    result = await provider(fallback_models="openai/gpt-4o").enrich_item(TEXT)

    assert result.usage.prompt_tokens == (ALL_TRIES + 1) * PROMPT_TOKENS
    assert result.usage.cost_usd == ALL_TRIES * PRICE + PRICE_OF_FALLBACK


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ("status_401", "status_503", ProviderUnavailable),
        ("status_503", "status_401", ProviderUnavailable),
        ("status_401", "wrong_schema", KeyRefused),
        ("wrong_schema", "status_401", InvalidOutput),
        ("status_504", "status_503", ProviderTimeout),
    ],
)
async def test_transient_error_of_any_model_is_reported_first(
    first: str, second: str, error: type[Exception], provider: MakeProvider, server: FakeLLMServer
) -> None:
    server.script(first, model="gpt-4o-mini")
    server.script(second, model="gpt-4o")

    with pytest.raises(error):
        await provider(fallback_models="openai/gpt-4o").enrich_item(TEXT)


async def test_key_and_address_are_not_sent_to_another_provider(
    provider: MakeProvider, server: FakeLLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script("status_401")
    with serving() as other:
        monkeypatch.setenv("DEEPSEEK_API_KEY", "another-key")
        monkeypatch.setenv("DEEPSEEK_API_BASE", other.url)

        result = await provider(fallback_models="deepseek/deepseek-chat").enrich_item(TEXT)

        assert [call.key for call in server.calls] == [KEY]
        assert [call.key for call in other.calls] == ["another-key"]
    assert result.usage.model == "deepseek/deepseek-chat"

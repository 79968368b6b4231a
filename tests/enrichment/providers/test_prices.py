"""The cost of a reply: a price of the settings, of the list, none, or 0 for local models."""

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from enrichment.config import LLMSettings
from enrichment.model_settings import ModelSettings
from enrichment.providers.prices import cost_of
from tests.enrichment.fake_llm_answers import PROMPT_TOKENS
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.enrichment.leaks import TEXT
from tests.enrichment.providers.environment import only
from tests.enrichment.providers.recording_server import recording
from tests.plugins.providers import MakeProvider

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider

OWN_PRICE = {"input_usd_per_million": "0.15", "output_usd_per_million": "0.6"}
FREE = {"input_usd_per_million": 0, "output_usd_per_million": 0}


@pytest.mark.parametrize(
    ("price", "is_local", "listed", "cost"),
    [
        ({}, False, None, None),
        ({}, False, -0.1, None),
        ({}, False, 0, None),
        ({}, False, 0.0, None),
        ({}, False, 0.1, Decimal("0.1")),
        ({}, False, 0.0000000149, Decimal("1e-8")),
        ({}, False, 100, Decimal(100)),
        ({}, False, 100.1, None),
        ({}, True, None, Decimal(0)),
        ({}, True, 0.1, Decimal(0)),
        (OWN_PRICE, False, 0.1, Decimal("0.00027")),
        (OWN_PRICE, False, 0, Decimal("0.00027")),
        (OWN_PRICE, True, None, Decimal("0.00027")),
        (FREE, False, 0.1, Decimal(0)),
        ({"input_usd_per_million": 10_000, "output_usd_per_million": 10_000}, False, None, Decimal(12)),
    ],
)
def test_cost_is_known_or_none(
    price: dict[str, Any], is_local: bool, listed: float | None, cost: Decimal | None
) -> None:
    model = ModelSettings(model="openai/any", **price)

    assert cost_of(model, is_local=is_local, prompt_tokens=1000, completion_tokens=200, listed=listed) == cost


def test_implausible_own_cost_is_dropped() -> None:
    model = ModelSettings(model="openai/any", input_usd_per_million=10_000, output_usd_per_million=0)

    assert cost_of(model, is_local=False, prompt_tokens=10_000_000, completion_tokens=0, listed=None) is None


@pytest.mark.asyncio(loop_scope="package")
async def test_requests_are_counted(provider: MakeProvider) -> None:
    made = provider()

    for _ in range(2):
        await made.enrich_item(TEXT)

    assert made.requests == 2


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-6-mini", "some-name"])
async def test_price_that_litellm_makes_up_is_unknown(model: str, provider: MakeProvider) -> None:
    result = await provider(model=f"openai/{model}").enrich_item(TEXT)

    assert result.usage.prompt_tokens
    assert (result.usage.cost_usd is None) == (model != "gpt-4o-mini")


@pytest.mark.asyncio(loop_scope="package")
async def test_price_of_the_file_counts(provider: MakeProvider, server: FakeLLMServer, tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        f"""
        [[model_list]]
        model = "openai/gpt-6-mini"
        api_base = "{server.url}"
        mode = "tools"
        input_usd_per_million = 1
        output_usd_per_million = 0
        """
    )

    result = await provider(model=LLMSettings().model, api_base="", models=str(path)).enrich_item(TEXT)

    assert result.usage.cost_usd == Decimal(PROMPT_TOKENS) / 1_000_000


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("provider_name", ["ollama_chat", "ollama"])
async def test_ollama_is_not_asked_for_its_price(provider_name: str, litellm_provider: "type[LiteLLMProvider]") -> None:
    draft = {"title": "A heron", "summary": "It waits.", "tags": ["heron", "river", "fish"], "source_type": "NOTE"}
    content = json.dumps(draft)
    reply = {
        "model": "new",
        "message": {"role": "assistant", "content": content},
        "response": content,
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 90,
        "eval_count": 9,
    }
    with recording() as server, only(OLLAMA_API_BASE=server.url):
        server.reply = (200, reply)

        result = await litellm_provider(LLMSettings(model=f"{provider_name}/new")).enrich_item(TEXT)

    assert [request.partition("\n")[0] for request in server.requests] in (["/api/chat"], ["/api/generate"])
    assert (result.usage.prompt_tokens, result.usage.cost_usd) == (90, Decimal(0))
    assert has_price_of_zero(f"{provider_name}/new")


def has_price_of_zero(model: str) -> bool:
    """Return whether LiteLLM itself finds the price, and it is 0."""
    import litellm  # it takes seconds

    prices: tuple[float, float] = litellm.cost_per_token(model, prompt_tokens=1, completion_tokens=1)
    return prices == (0, 0)

"""How the provider reads its settings, the environment and a reply."""

import dataclasses
import json
import logging
import sys
import warnings
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import InvalidOutput, ModelDeclined
from enrichment.schemas import Usage
from tests.enrichment.leaks import TEXT

BASE = "http://127.0.0.1:9/v1"
LOCAL = "ollama_chat/llama3.2"
PLACEHOLDER = {"api_key": "none"}
SPENT = Usage(model=LOCAL, prompt_tokens=7, cost_usd=Decimal(0))


@pytest.fixture
def module(litellm_provider: type) -> ModuleType:
    return sys.modules[litellm_provider.__module__]


def answer(cost: object = 0.5, *, content: str = "", finish_reason: str = "stop", **tokens: Any) -> SimpleNamespace:
    message = SimpleNamespace(content=content)
    return SimpleNamespace(
        _hidden_params={"response_cost": cost},
        usage=SimpleNamespace(**tokens),
        choices=[SimpleNamespace(message=message, finish_reason=finish_reason)],
    )


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3}, Decimal("0.5")),
        ({"prompt_tokens": 7}, Decimal("0.5")),
        ({"completion_tokens": 3}, Decimal("0.5")),
        ({}, None),
    ],
)
def test_usage_has_a_cost_if_tokens_were_used(
    module: ModuleType, keys: None, tokens: dict[str, Any], cost: Decimal | None
) -> None:
    (route,) = module._routes(LLMSettings(model="openai/asked", api_base=BASE))

    usage = module._usage_of(answer(**tokens), route)

    assert usage == Usage(model="openai/asked", cost_usd=cost, **tokens)


@pytest.mark.parametrize(("model", "provider"), [("openai/gpt-4o-mini", "openai"), (LOCAL, "ollama_chat")])
def test_provider_is_found_by_the_name_of_the_model(module: ModuleType, model: str, provider: str) -> None:
    assert module._provider_of(model, label="VARIABLE") == provider


def test_model_without_a_provider_is_refused_in_one_sentence(module: ModuleType) -> None:
    with pytest.raises(InvalidSettings) as raised:
        module._provider_of("some-model", label="VARIABLE")

    assert str(raised.value) == "VARIABLE must be written provider/model, such as openai/gpt-4o-mini"
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"model": "some-model"}, "LITEVAULT_LLM_MODEL must be written provider/model"),
        ({"fallback_models": "some-model"}, "LITEVAULT_LLM_FALLBACK_MODELS must be written provider/model"),
        ({"model": "gemini/gemini-2.0-flash"}, "must be set, because LITEVAULT_LLM_MODEL needs it"),
        ({"fallback_models": "gemini/gemini-2.0-flash"}, "must be set, because LITEVAULT_LLM_FALLBACK_MODELS needs it"),
    ],
)
def test_refused_model_is_named_by_its_setting(
    module: ModuleType, keys: None, models: dict[str, Any], sentence: str
) -> None:
    settings = LLMSettings(**{"model": "openai/gpt-4o-mini"} | models)

    with pytest.raises(InvalidSettings, match=sentence):
        list(module._routes(settings))


@pytest.mark.parametrize(
    ("given", "modes", "addresses"),
    [
        ({}, ["tools"], [{}]),
        ({"api_base": BASE}, ["json_schema"], [{"api_base": BASE}]),
        ({"model": LOCAL}, ["json_schema"], [PLACEHOLDER]),
        ({"model": LOCAL, "mode": "tools"}, ["tools"], [PLACEHOLDER]),
        ({"mode": "json"}, ["json"], [{}]),
        ({"fallback_models": (LOCAL, "openai/gpt-4o")}, ["tools", "json_schema", "tools"], [{}, PLACEHOLDER, {}]),
        (
            {"fallback_models": (LOCAL, "openai/gpt-4o"), "api_base": BASE},
            ["json_schema"] * 3,
            [{"api_base": BASE}, PLACEHOLDER, {"api_base": BASE}],
        ),
    ],
)
def test_each_model_has_a_route_of_its_own(
    module: ModuleType, keys: None, given: dict[str, Any], modes: list[str], addresses: list[dict[str, str]]
) -> None:
    settings = LLMSettings(**given)

    routes = list(module._routes(settings))

    assert [route.model for route in routes] == [model.model for model in settings.model_list]
    assert [route.form.mode for route in routes] == modes
    assert [route.address for route in routes] == addresses
    assert len({id(route.model_health) for route in routes}) == len(routes)


@pytest.mark.parametrize(("text", "tokens"), [("A heron stands in the river.", 8), ("アオサギは川に立つ。", 10)])
def test_tokens_are_counted_as_by_current_models(module: ModuleType, text: str, tokens: int) -> None:
    assert module._count_tokens(text) == tokens


@pytest.mark.parametrize(
    "name", ["LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpcore", "httpx", "instructor", "openai"]
)
def test_library_is_silenced(module: ModuleType, name: str) -> None:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        module.silence_libraries()

        assert not logger.isEnabledFor(logging.CRITICAL)
        assert logger.level == logging.CRITICAL + 1
    finally:
        logger.setLevel(level)


def test_only_warnings_that_quote_a_reply_are_silenced(module: ModuleType) -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        module.silence_libraries()
        warnings.warn("Pydantic serializer warnings:\n  Expected `str`, got private", UserWarning, stacklevel=1)
        warnings.warn("Another warning", UserWarning, stacklevel=1)
        warnings.warn("Pydantic serializer warnings go away", DeprecationWarning, stacklevel=1)

    assert [str(each.message) for each in given] == ["Another warning", "Pydantic serializer warnings go away"]


class Library:
    """Replaces the function that makes the HTTP request."""

    def __init__(self, given: SimpleNamespace) -> None:
        self._given = given
        self.request: dict[str, Any] = {}

    async def __call__(self, **request: Any) -> SimpleNamespace:
        self.request = request
        return self._given


SETTINGS = LLMSettings(model=LOCAL, timeout_seconds=2, max_retries=3, max_tokens=64)


async def sent(
    module: ModuleType, given: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, Usage, Library]:
    library = Library(given)
    monkeypatch.setattr("litellm.acompletion", library)
    (route,) = module._routes(SETTINGS)
    there = dataclasses.replace(route, address={"api_base": BASE})
    prompt = module.Prompt(messages=[], fill_tags=list)
    got, usage = await module.LiteLLMProvider(SETTINGS)._send(there, there.form, prompt, model=LOCAL, messages=[])
    return got, usage, library


async def test_request_turns_off_the_retries_of_the_library(
    module: ModuleType, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = answer(content='```json\n{"title": "a"}\n```', prompt_tokens=7)

    got, usage, library = await sent(module, given, monkeypatch)

    assert library.request == {
        "model": LOCAL,
        "messages": [],
        "api_base": BASE,
        "timeout": SETTINGS.seconds_per_model,
        "max_retries": 0,
        "num_retries": 0,
        "drop_params": True,
    }
    assert got is given
    assert json.loads(got.choices[0].message.content)["title"] == "a"
    assert usage == SPENT


async def test_declined_reply_has_its_usage(module: ModuleType, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelDeclined) as raised:
        await sent(module, answer(finish_reason="content_filter", prompt_tokens=7), monkeypatch)

    assert (raised.value.cause, raised.value.usage) == (
        "Refusal",
        SPENT,
    )


async def test_oversized_reply_is_rejected(module: ModuleType, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidOutput) as raised:
        await sent(module, answer(content="x" * (64 * 20 + 1), prompt_tokens=7), monkeypatch)

    assert (raised.value.cause, raised.value.usage) == ("AnswerTooLong", SPENT)


async def test_longest_plausible_reply_is_accepted(
    module: ModuleType, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = answer(content="x" * (64 * 20), prompt_tokens=7)

    assert (await sent(module, given, monkeypatch))[0] is given


def test_tags_take_at_most_a_fourth_of_the_tokens(
    module: ModuleType, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def cut(text: str, *, limit: int, count: object) -> str:
        asked.update(text=text, limit=limit, count=count)
        return "what is left"

    monkeypatch.setattr(module, "cut_to_tokens", cut)
    provider = module.LiteLLMProvider(LLMSettings(model=LOCAL, max_input_tokens=100))

    messages = provider._prompt(TEXT, ["x" * 10, "ä" * 5, "y" * 2]).messages

    assert asked == {"text": TEXT, "limit": 100 - 24, "count": module._count_tokens}
    assert "what is left" in messages[1]["content"]
    assert f"{'x' * 10}\n{'ä' * 5}\nyy" in messages[1]["content"]

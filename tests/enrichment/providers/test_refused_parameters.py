"""A model that refuses a parameter is asked again without it, and the refusal is remembered."""

import asyncio

import pytest

from enrichment.errors import ParameterRefused, ProviderUnavailable
from enrichment.providers.request_form import RequestForm
from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.enrichment.leaks import TEXT
from tests.plugins.providers import MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_refused_parameters_are_left_out_from_then_on(provider: MakeProvider, server: FakeLLMServer) -> None:
    subject = provider()
    server.script("reasoning")

    await subject.enrich_item(TEXT)
    requests_of_first = len(server.calls)
    await subject.enrich_item(TEXT)

    assert requests_of_first == 3
    (body,) = [call.body for call in server.calls[requests_of_first:]]
    assert body["max_completion_tokens"] == 1024
    assert not body.keys() & {"max_tokens", "temperature"}


async def test_refused_parameter_uses_up_no_try(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("reasoning")

    result = await provider(max_retries=0).enrich_item(TEXT)

    assert result.title == DRAFT["title"]


@pytest.mark.parametrize(("answer", "requests", "mode"), [("no_tools", 2, "json_schema"), ("plain_json", 3, None)])
async def test_refused_mode_leads_to_the_next(
    provider: MakeProvider, server: FakeLLMServer, answer: str, requests: int, mode: str | None
) -> None:
    subject = provider()
    subject._routes[0].form = RequestForm(("tools", "json_schema", "json"))  # as for a provider's own address
    server.script(answer)

    await subject.enrich_item(TEXT)
    first = len(server.calls)
    await subject.enrich_item(TEXT)

    assert (first, len(server.calls)) == (requests, requests + 1)
    last = server.calls[-1].body
    assert last.get("response_format", {}).get("type") == mode
    assert "tools" not in last


async def test_refused_mode_that_was_set_is_an_error(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("no_tools")

    with pytest.raises(ParameterRefused) as raised:
        await provider(mode="tools").enrich_item(TEXT)

    assert raised.value.parameter == "tools"
    assert len(server.calls) == 1


async def test_texts_at_the_same_time_learn_together(provider: MakeProvider, server: FakeLLMServer) -> None:
    subject = provider()
    server.script("reasoning")

    results = await asyncio.gather(*(subject.enrich_item(TEXT) for _ in range(10)))

    assert [result.title for result in results] == [DRAFT["title"]] * 10
    assert len(server.calls) <= 30


async def test_each_model_remembers_its_own_refusals(provider: MakeProvider, server: FakeLLMServer) -> None:
    subject = provider(fallback_models=("openai/gpt-4o",))
    server.script("reasoning", model="gpt-4o-mini")
    await subject.enrich_item(TEXT)
    server.reset()
    server.script("status_400", model="gpt-4o-mini")

    await subject.enrich_item(TEXT)

    first, second = [call.body for call in server.calls]
    assert "temperature" not in first
    assert second["temperature"] == 0.3


async def test_failure_after_a_refused_parameter_is_the_error(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("forbids_temperature", "status_503")

    with pytest.raises(ProviderUnavailable):
        await provider(max_retries=0).enrich_item(TEXT)

    assert len(server.calls) == 2


async def test_parameter_that_is_refused_again_is_an_error(provider: MakeProvider, server: FakeLLMServer) -> None:
    server.script("no_limit")

    with pytest.raises(ParameterRefused) as raised:
        await provider().enrich_item(TEXT)

    assert raised.value.parameter == "max_completion_tokens"

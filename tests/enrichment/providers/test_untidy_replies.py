"""What a reply lacks is filled in, and a model that must reply again learns what was wrong."""

import json
from typing import Any

import pytest

from tests.enrichment.fake_llm_answers import ANSWERS, DRAFT
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.enrichment.fault_matrix import MODES
from tests.enrichment.untidy_answers import drafting
from tests.plugins.providers import MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXT = "The herons stood in the river. The herons waited, and the river was quiet."


@pytest.fixture
def respond(server: FakeLLMServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the server reply with a changed draft, and then with a good one."""

    def script(**changes: Any) -> None:
        monkeypatch.setitem(ANSWERS, "changed", drafting(**changes))
        server.script("changed", "ok")

    return script


@pytest.mark.parametrize("mode", MODES)
async def test_too_few_tags_cost_no_other_request(
    mode: str, respond: Any, provider: MakeProvider, server: FakeLLMServer
) -> None:
    respond(tags=["Birds", "birds"], source_type="blog post")

    result = await provider(mode=mode).enrich_item(TEXT, vocabulary=["walking", "river"])

    assert (result.tags, result.source_type) == (("birds", "river", "herons"), "ARTICLE")
    assert result.tags_filled
    assert len(server.calls) == 1


async def test_enough_tags_are_the_models_own(provider: MakeProvider) -> None:
    result = await provider().enrich_item(TEXT, vocabulary=["quiet"])

    assert result.tags == tuple(DRAFT["tags"])
    assert not result.tags_filled


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": None, "tags": ["birds", "Birds", "river"]}, "The tag 'birds' is a duplicate."),
        ({"title": "What the text is about"}, "The words 'What the text is about' are from the instructions."),
        ({"tags": ["a", "b", "short topics"]}, "The words 'short topics' are from the instructions."),
    ],
)
async def test_retry_says_what_was_wrong(
    mode: str, changes: dict[str, Any], sentence: str, respond: Any, provider: MakeProvider, server: FakeLLMServer
) -> None:
    respond(**changes)

    result = await provider(mode=mode).enrich_item(TEXT)

    assert result.title == DRAFT["title"]
    assert len(server.calls) == 2
    assert sentence in str(server.calls[1].body["messages"][-1]["content"])


async def test_draft_in_prose_is_sent_back_as_a_call(
    respond: Any, provider: MakeProvider, server: FakeLLMServer
) -> None:
    server.script("untidy_echo", "ok")

    await provider(mode="tools").enrich_item(TEXT)

    *_, repeated, correction = server.calls[1].body["messages"]
    [call] = repeated["tool_calls"]
    tool = server.calls[1].body["tools"][0]["function"]
    assert call["function"]["name"] == tool["name"]
    assert json.loads(call["function"]["arguments"])["title"] == "The text between the marks"
    assert correction["tool_call_id"] == call["id"]

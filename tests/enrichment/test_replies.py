"""Reading replies, of which a provider may leave out any part."""

import copy
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from enrichment.providers.replies import (
    CALL_ID,
    MAX_TOKENS,
    MOST_THOUGHTS,
    is_declined,
    length_of,
    place_draft,
    tokens_of,
)


def message(content: Any = None, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(content=content, **fields)


def answer(*messages: SimpleNamespace, finish_reason: str = "stop", **fields: Any) -> SimpleNamespace:
    choices = [SimpleNamespace(message=each, finish_reason=finish_reason) for each in messages]
    return SimpleNamespace(choices=choices, **fields)


def call(arguments: str | None) -> SimpleNamespace:
    return SimpleNamespace(id="call_1", function=SimpleNamespace(name="Draft", arguments=arguments))


@pytest.mark.parametrize(
    ("given", "declined"),
    [
        (answer(), False),
        (answer(message()), False),
        (answer(message(), finish_reason="content_filter"), True),
        (answer(message(provider_specific_fields=None)), False),
        (answer(message(provider_specific_fields={"refusal": None})), False),
        (answer(message(provider_specific_fields={"refusal": "I will not."})), True),
        (answer(message(), message(provider_specific_fields={"refusal": "I will not."})), True),
    ],
)
def test_reply_is_declined_by_the_model_or_a_filter(given: SimpleNamespace, *, declined: bool) -> None:
    assert is_declined(given) is declined


@pytest.mark.parametrize(
    ("given", "length"),
    [
        (answer(), 0),
        (answer(message()), 0),
        (answer(message("four")), 4),
        (answer(message(["in ", {"text": "parts"}])), 8),
        (answer(message(function_call=SimpleNamespace(arguments="abc"))), 3),
        (answer(message(reasoning_content="thoughts")), 0),
        (answer(message("four", tool_calls=None)), 4),
        (answer(message(tool_calls=[call("abc"), call("de"), call(None)])), 5),
        (answer(message("four", tool_calls=[call("abc")]), message("five.")), 12),
    ],
)
def test_length_counts_contents_and_arguments(given: SimpleNamespace, length: int) -> None:
    assert length_of(given) == length


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"usage": SimpleNamespace(prompt_tokens=7, completion_tokens=3)}, (7, 3)),
        ({"usage": SimpleNamespace(prompt_tokens=1, completion_tokens=MAX_TOKENS)}, (1, MAX_TOKENS)),
        ({"usage": SimpleNamespace(prompt_tokens=-1, completion_tokens=MAX_TOKENS + 1)}, (0, 0)),
        ({"usage": SimpleNamespace(prompt_tokens="7", completion_tokens=None)}, (0, 0)),
        ({"usage": SimpleNamespace()}, (0, 0)),
        ({"usage": SimpleNamespace(prompt_tokens=0, completion_tokens=1)}, (0, 1)),
        ({"usage": None}, (0, 0)),
        ({}, (0, 0)),
    ],
)
def test_implausible_token_counts_become_zero(usage: dict[str, Any], tokens: tuple[int, int]) -> None:
    given = answer(**usage)

    assert (tokens_of(given, "prompt"), tokens_of(given, "completion")) == tokens


DRAFT: dict[str, Any] = {
    "source_type": "NOTE",
    "title": "Herons",
    "summary": "There are herons.",
    "tags": ["a", "b", "c"],
}
JSON = json.dumps(DRAFT)
OTHER = json.dumps(DRAFT | {"title": "Another"})
PART = json.dumps({"title": "Part"})


def filled(tags: Sequence[str]) -> list[str]:
    return [*tags, "filled"]


def placed(given: SimpleNamespace, *, tool: str | None = None) -> SimpleNamespace:
    place_draft(given, tool=tool, fill_tags=filled)
    message: SimpleNamespace = given.choices[0].message
    return message


def spoken(content: Any = None, *calls: SimpleNamespace, **fields: Any) -> SimpleNamespace:
    finish_reason = fields.pop("finish_reason", "stop")
    return answer(message(content, tool_calls=list(calls) or None, **fields), finish_reason=finish_reason)


@pytest.mark.parametrize(
    "given",
    [
        spoken(JSON),
        spoken([{"type": "text", "text": JSON[:9]}, {"type": "text", "text": JSON[9:]}]),
        spoken(DRAFT),
        spoken(OTHER, call(JSON)),
        spoken("Done.", call(JSON), reasoning_content=OTHER),
        spoken(None, call(PART), call(JSON)),
        spoken(JSON, call(PART)),
        spoken(JSON, SimpleNamespace(custom=SimpleNamespace(input="x"))),
        spoken(JSON, call(None), reasoning_content=OTHER),
        spoken(None, function_call=SimpleNamespace(arguments=JSON)),
        spoken(None, reasoning_content=JSON),
        spoken(PART, reasoning_content=f"Hm. {JSON}"),
        spoken("", reasoning_content="x" * MOST_THOUGHTS + JSON),
    ],
)
@pytest.mark.parametrize("tool", [None, "Draft"])
def test_draft_is_placed_where_it_is_looked_for(given: SimpleNamespace, tool: str | None) -> None:
    given = copy.deepcopy(given)

    message = placed(given, tool=tool)

    if tool is None:
        assert (json.loads(message.content), message.tool_calls) == (DRAFT, None)
    else:
        [called] = message.tool_calls
        function = called["function"] if isinstance(called, dict) else vars(called.function)
        assert json.loads(function["arguments"]) == DRAFT


@pytest.mark.parametrize("given", [spoken(None, call(JSON)), spoken(JSON, call(None), call("x"))])
def test_call_of_the_model_is_kept(given: SimpleNamespace) -> None:
    [kept] = placed(given, tool="Tool").tool_calls

    assert (kept.id, kept.function.name, json.loads(kept.function.arguments)) == ("call_1", "Draft", DRAFT)


def test_made_call_is_complete() -> None:
    message = placed(spoken(JSON), tool="Draft")

    assert (message.role, message.content) == ("assistant", None)
    assert message.tool_calls == [
        {
            "id": CALL_ID,
            "type": "function",
            "function": {"name": "Draft", "arguments": message.tool_calls[0]["function"]["arguments"]},
        }
    ]
    assert CALL_ID.isalnum()
    assert len(CALL_ID) == 9


@pytest.mark.parametrize("content", [None, "", "plain text", '{"error": "no"}', ["x"], [{"text": None}], 5])
@pytest.mark.parametrize("tool", [None, "Draft"])
def test_reply_without_a_draft_is_left_as_it_is(content: Any, tool: str | None) -> None:
    given = spoken(content, call("{}"), reasoning_content="Hm.")
    before = copy.deepcopy(given)

    placed(given, tool=tool)

    assert given == before


def test_reply_without_choices_is_left_as_it_is() -> None:
    given = answer()

    place_draft(given, tool=None, fill_tags=filled)

    assert given == answer()


def test_part_of_a_draft_is_placed_if_there_is_no_whole_one() -> None:
    message = placed(spoken("Hm.", call(PART)))

    assert json.loads(message.content) == {"source_type": None, "title": "Part"}


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        (["a", "b", "c"], ["a", "b", "c"]),
        ("a, b, c", "a, b, c"),
        (["a", "A", "b"], ["a", "b", "filled"]),
        ('["a", "b"]', ["a", "b", "filled"]),
        ([], ["filled"]),
        ({"role": "system"}, ["filled"]),
        (None, ["filled"]),
    ],
)
def test_too_few_tags_are_filled(tags: object, kept: list[str] | str) -> None:
    draft = json.loads(placed(spoken(json.dumps(DRAFT | {"tags": tags}))).content)

    assert draft["tags"] == kept
    assert draft.get("tags_filled", False) is ("filled" in kept)


def test_missing_tags_and_type_are_filled() -> None:
    draft = json.loads(placed(spoken('{"title": "a", "summary": "b"}')).content)

    assert draft == {"title": "a", "summary": "b", "tags": ["filled"], "tags_filled": True, "source_type": None}


def test_tags_are_not_filled_if_the_model_is_asked_again() -> None:
    draft = json.loads(placed(spoken('{"title": "a", "summary": null, "tags": ["a", "a"]}')).content)

    assert draft == {"title": "a", "summary": None, "tags": ["a", "a"], "source_type": None}


def test_model_does_not_say_that_tags_were_filled() -> None:
    assert "tags_filled" not in json.loads(placed(spoken(json.dumps(DRAFT | {"tags_filled": True}))).content)


@pytest.mark.parametrize(
    ("given", "finish_reason"),
    [
        (spoken(JSON + "\n" * 99, finish_reason="length"), "stop"),
        (spoken(PART + "\n" * 99, finish_reason="length"), "length"),
        (spoken(JSON[:-1], finish_reason="length"), "length"),
        (spoken("", reasoning_content=JSON, finish_reason="length"), "length"),
        (spoken(JSON, finish_reason="tool_calls"), "tool_calls"),
    ],
)
def test_whole_draft_is_not_cut_off(given: SimpleNamespace, finish_reason: str) -> None:
    placed(given)

    assert given.choices[0].finish_reason == finish_reason


def test_lone_surrogates_are_removed() -> None:
    content = placed(spoken('{"title": "a\\ud800", "summary": "é\\udfff", "tags": []}')).content

    assert json.loads(content.encode())["title"] == "a"
    assert "é" in content

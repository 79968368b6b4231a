"""Reading replies, of which a provider may leave out any part."""

from types import SimpleNamespace
from typing import Any

import pytest

from enrichment.providers.replies import MAX_TOKENS, is_declined, length_of, tokens_of


def message(content: Any = None, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(content=content, **fields)


def answer(*messages: SimpleNamespace, finish_reason: str = "stop", **fields: Any) -> SimpleNamespace:
    choices = [SimpleNamespace(message=each, finish_reason=finish_reason) for each in messages]
    return SimpleNamespace(choices=choices, **fields)


def call(arguments: str | None) -> SimpleNamespace:
    return SimpleNamespace(function=SimpleNamespace(arguments=arguments))


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
        (answer(message(["no", "text"])), 0),
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
        ({"usage": None}, (0, 0)),
        ({}, (0, 0)),
    ],
)
def test_implausible_token_counts_become_zero(usage: dict[str, Any], tokens: tuple[int, int]) -> None:
    given = answer(**usage)

    assert (tokens_of(given, "prompt"), tokens_of(given, "completion")) == tokens

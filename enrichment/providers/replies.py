"""Reads a reply in OpenAI's format, before its content is parsed."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from enrichment.providers.content_parts import text_of_parts
from enrichment.providers.drafts_in_text import draft_in, is_whole
from enrichment.schemas import DRAFT_TAGS_MIN_COUNT, distinct_tags
from items.texts import LONE_SURROGATE

# A higher count is an error of the provider, and too large for the columns.
MAX_TOKENS = 10_000_000

# The draft is at the end of them, if anywhere.
MOST_THOUGHTS = 100_000
# Some providers take only nine letters and digits.
CALL_ID = "draftcall"

FillTags = Callable[[Sequence[str]], Sequence[str]]
"""Return the tags, and as many more as a draft needs."""


def is_declined(reply: Any) -> bool:
    """Return whether the model refused, or a content filter of the provider did."""
    return any(
        choice.finish_reason == "content_filter"
        # litellm's place for fields outside its own message format.
        or (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal")
        for choice in reply.choices
    )


def length_of(reply: Any) -> int:
    """Return the number of characters of content and arguments."""
    return sum(len(text) for choice in reply.choices for text in _said(choice.message))


def place_draft(reply: Any, *, tool: str | None, fill_tags: FillTags) -> None:
    """Put the draft where Instructor looks for it: into a call of the tool, or into the content if there is no tool.

    A call comes first, then the content, then the model's thoughts. A reply without a draft is left as it is.
    """
    for choice in reply.choices[:1]:
        if (draft := _draft_of(choice)) is None:
            continue
        if is_whole(draft) and choice.finish_reason == "length":
            choice.finish_reason = "stop"  # only what came after it was cut off
        _put(choice, _as_json(_completed(draft, fill_tags)), tool=tool)


def _draft_of(choice: Any) -> dict[str, Any] | None:
    """Return the first whole draft, else the first with any field."""
    drafts = list(filter(None, map(draft_in, _texts_of(choice))))
    return next(filter(is_whole, drafts), drafts[0] if drafts else None)


def _texts_of(choice: Any) -> Iterator[str]:
    yield from _said(choice.message)
    if choice.finish_reason != "length":  # a draft in thoughts that were cut off is not the last word
        yield str(getattr(choice.message, "reasoning_content", None) or "")[-MOST_THOUGHTS:]


def _said(message: Any) -> Iterator[str]:
    functions = [call.function for call in _calls(message)]
    texts = [getattr(function, "arguments", None) for function in (*functions, getattr(message, "function_call", None))]
    yield from (text for text in (*texts, text_of_parts(message.content)) if isinstance(text, str))


def _calls(message: Any) -> list[Any]:
    return [call for call in getattr(message, "tool_calls", None) or () if getattr(call, "function", None)]


def _completed(draft: dict[str, Any], fill_tags: FillTags) -> dict[str, Any]:
    """Set what a model need not be asked for again. If it must be asked anyway, it is to correct the tags itself."""
    draft = {"source_type": None} | draft
    if is_whole(draft | {"tags": None}) and len(tags := distinct_tags(draft.get("tags"))) < DRAFT_TAGS_MIN_COUNT:
        draft |= {"tags": fill_tags(tags), "tags_filled": True}
    return draft


def _as_json(draft: dict[str, Any]) -> str:
    return LONE_SURROGATE.sub("", json.dumps(draft, ensure_ascii=False))


def _put(choice: Any, text: str, *, tool: str | None) -> None:
    message = choice.message
    if tool is None:
        message.content, message.tool_calls = text, None
    elif calls := _calls(message):
        calls[0].function.arguments = text
        message.tool_calls = calls[:1]
    else:
        call = {"id": CALL_ID, "type": "function", "function": {"name": tool, "arguments": text}}
        choice.message = type(message)(role="assistant", content=None, tool_calls=[call])


def tokens_of(reply: Any, kind: str) -> int:
    """Return the reported count of "prompt" or "completion" tokens, or 0 if it is implausible."""
    count = getattr(getattr(reply, "usage", None), f"{kind}_tokens", 0)
    return count if isinstance(count, int) and 0 <= count <= MAX_TOKENS else 0

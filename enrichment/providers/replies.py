"""Reads a reply in OpenAI's format, before its content is parsed."""

import re
from typing import Any

# A higher count is an error of the provider, and too large for the columns.
MAX_TOKENS = 10_000_000

FENCED = re.compile(r"\s*```\w*\n(.*)\n\s*```\s*", re.DOTALL)


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
    messages = [choice.message for choice in reply.choices]
    calls = [call for message in messages for call in getattr(message, "tool_calls", None) or ()]
    contents = [message.content for message in messages] + [call.function.arguments for call in calls]
    return sum(len(content) for content in contents if isinstance(content, str))


def unfence(reply: Any) -> None:
    """Remove the Markdown fence that some models put around JSON."""
    for choice in reply.choices:
        if isinstance(choice.message.content, str) and (match := FENCED.fullmatch(choice.message.content)):
            choice.message.content = match[1]


def tokens_of(reply: Any, kind: str) -> int:
    """Return the reported count of "prompt" or "completion" tokens, or 0 if it is implausible."""
    count = getattr(getattr(reply, "usage", None), f"{kind}_tokens", 0)
    return count if isinstance(count, int) and 0 <= count <= MAX_TOKENS else 0

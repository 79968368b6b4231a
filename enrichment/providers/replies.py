"""What can be read off an answer in the shape of OpenAI's, before anybody tries to make sense of it."""

import re
from typing import Any

# More than this in one answer is a mistake of the provider's, and more than the columns hold.
MOST_TOKENS = 10_000_000

FENCED = re.compile(r"\s*```\w*\n(.*)\n\s*```\s*", re.DOTALL)


def is_declined(answer: Any) -> bool:
    """The model would not, or a filter of the provider's stepped in."""
    return any(
        choice.finish_reason == "content_filter"
        # Where litellm keeps what is not in its own shape of a message.
        or (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal")
        for choice in answer.choices
    )


def length_of(answer: Any) -> int:
    """Characters of content and of arguments."""
    messages = [choice.message for choice in answer.choices]
    calls = [call for message in messages for call in getattr(message, "tool_calls", None) or ()]
    contents = [message.content for message in messages] + [call.function.arguments for call in calls]
    return sum(len(content) for content in contents if isinstance(content, str))


def unfence(answer: Any) -> None:
    """Take away the Markdown fence that some models put around JSON, whatever they were told."""
    for choice in answer.choices:
        if isinstance(choice.message.content, str) and (match := FENCED.fullmatch(choice.message.content)):
            choice.message.content = match[1]


def tokens_of(answer: Any, kind: str) -> int:
    """How many tokens of a kind the answer says it took. 0 for nonsense."""
    count = getattr(getattr(answer, "usage", None), f"{kind}_tokens", 0)
    return count if isinstance(count, int) and 0 <= count <= MOST_TOKENS else 0

"""Reads the machine words of a provider's error: JSON fields with known names, and the fixed beginnings of messages.

Providers repeat the user's text in their messages. Therefore a message is compared only with the fixed phrases below,
at its beginning, and nothing of it is kept.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

# Longer bodies are not parsed. One that repeats a long text is shorter.
MAX_BYTES = 1_000_000
MAX_DEPTH = 6
MAX_FIELDS = 1000
MAX_MESSAGE_CHARACTERS = 300

WORD_FIELDS = frozenset({"code", "type", "status", "reason", "__type"})
# What the request or the model said.
ECHOES = frozenset({"input", "messages", "request", "failed_generation"})
PARAMETERS = frozenset(
    {"max_completion_tokens", "max_tokens", "response_format", "temperature", "tool_choice", "tools"}
)

# Reasons for which these providers have no code.
MESSAGES = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"your credit balance is too low", "insufficient_quota"),  # Anthropic, 400
        (r"prompt is too long: \d+ tokens", "context_length_exceeded"),  # Anthropic, 400
        (r"input is too long for requested model", "context_length_exceeded"),  # Bedrock, 400
        (r"the input token count .{0,40}exceeds the maximum", "context_length_exceeded"),  # Gemini, 400
        (r"this model's maximum context length is \d+", "context_length_exceeded"),  # vLLM, DeepSeek, 400
        (r"prompt contains \d+ tokens", "context_length_exceeded"),  # Mistral, 400
        (r"too many tokens: ", "context_length_exceeded"),  # Cohere, 400
        (r".{0,120} requires moderation", "content_policy_violation"),  # OpenRouter, 403
    )
)
PARAMETER_MESSAGES = tuple(
    (re.compile(pattern, re.IGNORECASE), parameter)
    for pattern, parameter in (
        (r".{0,120}\bunsupported (?:parameter|value): ['\"`](\w+)['\"`]", None),  # OpenAI, behind gateways
        (r"(\w+)(?:\.\w+)*: ", None),  # Anthropic
        (r"['\"`]?(\w+)['\"`]? (?:is|are) (?:deprecated|not supported|not allowed)", None),  # Anthropic, xAI
        (r".{0,120}\btool_choice\b.{0,40} (?:not support|unsupported)", "tool_choice"),  # Alibaba
        (r".{0,120} not support (?:this )?tool_choice", "tool_choice"),  # DeepSeek
        (r".{0,120} not support (?:tools|tool use|tool calling|function calling)", "tools"),  # Ollama
        (r"no endpoints found that support tool use", "tools"),  # OpenRouter, 404
        (r"[`'\"]?tool calling[`'\"]? is not supported", "tools"),  # Groq
        (r"['\"]auto['\"] tool choice requires", "tools"),  # vLLM
        (r"tools param requires", "tools"),  # llama.cpp
        (r".{0,120} not support response.format", "response_format"),  # Groq
        (r"this response_format type is unavailable", "response_format"),  # DeepSeek
    )
)


class ErrorBody(NamedTuple):
    """`words` are machine words of the provider, and `parameters` the parameters of the request that it refuses."""

    words: frozenset[str]
    parameters: frozenset[str]


def read(chain: tuple[BaseException, ...]) -> ErrorBody:
    """Read the bodies of all responses along a chain of exceptions."""
    words: set[str] = set()
    parameters: set[str] = set()
    for name, value in (
        field for error in chain for body in _bodies(error) for field in islice(_fields(body), MAX_FIELDS)
    ):
        if name in WORD_FIELDS:
            words.add(value)
        elif name in ("param", "loc"):
            parameters.add(re.split(r"[.\[]", value, maxsplit=1)[0])
        elif name in ("message", "error", "detail"):
            text = value[:MAX_MESSAGE_CHARACTERS]
            words |= {word for pattern, word in MESSAGES if pattern.match(text)}
            matches = ((pattern.match(text), parameter) for pattern, parameter in PARAMETER_MESSAGES)
            parameters |= {parameter or match[1] for match, parameter in matches if match}
        elif name == "flagged_input":  # OpenRouter, 403
            words.add("content_policy_violation")
    return ErrorBody(frozenset(words), frozenset(parameters & PARAMETERS))


def _bodies(error: BaseException) -> Iterator[Any]:
    yield getattr(error, "body", None)
    headers = getattr(getattr(error, "response", None), "headers", None)
    if isinstance(headers, Mapping):
        yield {"type": headers.get("x-amzn-errortype", "").partition(":")[0]}  # Amazon, which names it nowhere else
    content: Any = None
    with suppress(Exception):  # a response may not have been read
        content = getattr(getattr(error, "response", None), "content", None)
    if isinstance(content, bytes) and len(content) <= MAX_BYTES:
        with suppress(ValueError, RecursionError):
            yield json.loads(content)


def _fields(value: Any, *, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the names and values of all strings and numbers, those of lists under the name of the list."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key not in ECHOES:
                yield from _fields(part, name=str(key), depth=depth + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _fields(part, name=name, depth=depth + 1)
    elif isinstance(value, str | int):
        yield name, str(value)

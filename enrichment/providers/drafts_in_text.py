"""Finds the draft in what a model said: JSON with prose or a fence around it, after its thoughts, or inside a wrapper."""

import json
import re
from collections.abc import Iterator
from typing import Any

Draft = dict[str, Any]

# Without the brackets in strings. A string that does not end reaches to the end of the text.
STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
STRING_OR_BRACKET = re.compile(rf"{STRING}|[{{}}\[\]]", re.DOTALL)
STRING_OR_TRAILING_COMMA = re.compile(rf"({STRING})|,(?=\s*[}}\]])", re.DOTALL)
OBJECT_START = re.compile(r'\{\s*["}]')
# A draft has two levels, and a wrapper some more.
DEEPEST = 32
# How often each character is read, on average, before the search ends: braces that are no JSON are read again.
MOST_READINGS = 8

FIELDS = {re.sub("[^a-z]", "", name): name for name in ("title", "summary", "tags", "source_type")}
NO_LETTER = re.compile("[^a-z]")
PLACEHOLDER = " .…"


def draft_in(text: str) -> Draft | None:
    """Return the last whole draft in a text, else the fields of the last object that has any."""
    if text.lstrip().startswith('"'):  # JSON within a JSON string
        inner = _parsed(text)
        text = inner if isinstance(inner, str) else text
    best = None
    for found in map(_unwrapped, objects_in(text)):
        if found and (best is None or is_whole(found) or not is_whole(best)):
            best = found
    return best


def is_whole(draft: Draft) -> bool:
    """Return whether a draft has texts and tags. Models that think quote the format, with dots for the texts."""
    texts = (draft.get("title"), draft.get("summary"))
    return "tags" in draft and all(isinstance(text, str) and text.strip(PLACEHOLDER) for text in texts)


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text that are not inside another one. Raw line breaks and trailing commas are read.

    The time is linear in the length of the text.
    """
    position, most_read = 0, MOST_READINGS * len(text)
    while most_read > 0 and (start := OBJECT_START.search(text, position)):
        end, is_balanced = _end_of_object(text, start.start())
        most_read -= end - start.start()
        found = _parsed(text[start.start() : end]) if is_balanced else None
        position = start.start() + 1
        if isinstance(found, dict):
            position = end
            yield found


def _end_of_object(text: str, start: int) -> tuple[int, bool]:
    """Return where the brackets are balanced, or how far they were read."""
    depth = 0
    for token in STRING_OR_BRACKET.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0 or depth > DEEPEST:
            return token.end(), depth == 0
    return len(text), False


def _parsed(text: str) -> Any:
    """Return the value of JSON with numbers as texts, or None."""
    text = STRING_OR_TRAILING_COMMA.sub(lambda found: found[1] or "", text)
    try:
        return json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _unwrapped(found: dict[str, Any]) -> Draft:
    """Return the fields of an object, or of one in it that has more."""
    fields = _fields(found)
    if is_whole(fields):
        return fields
    inner = (_fields(_object(value)) for value in found.values())
    return max([fields, *inner], key=len)


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = next(objects_in(value), None)
    return value if isinstance(value, dict) else {}


def _fields(found: dict[str, Any]) -> Draft:
    """Return the fields of a draft in an object, whatever the case and the separators of their names."""
    named = ((FIELDS.get(NO_LETTER.sub("", key.lower())), value) for key, value in found.items())
    return {name: value for name, value in named if name}

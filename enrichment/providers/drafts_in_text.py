"""Finds the draft in what a model said: in prose or a fence, after its thoughts, or inside a wrapper."""

import json
import re
from collections.abc import Iterator
from typing import Any

Draft = dict[str, Any]

OBJECT_START = re.compile(r'\{\s*"')
TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
# A string that does not end reaches to the end of the text, so that the time stays linear.
STRING_OR_TRAILING_COMMA = re.compile(rf'("(?:[^"\\]|\\.)*+(?:"|\\?\Z))|{TRAILING_COMMA.pattern}', re.DOTALL)
# Raw line breaks are read, and numbers are texts: a tag is 3.10 and not 3.1.
DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=lambda _: None)
# A brace that begins no JSON may make the decoder read the whole text.
MOST_FAILURES = 100

FIELDS = {"title": "title", "summary": "summary", "tags": "tags", "sourcetype": "source_type"}
NO_LETTER = re.compile("[^a-z]")
PLACEHOLDER = " .…"


def draft_in(text: str) -> Draft | None:
    """Return the last whole draft in a text, else the fields of the last object that has any."""
    found = _last_draft(_unquoted(text))
    if (found is None or not is_whole(found)) and TRAILING_COMMA.search(text):
        found = _last_draft(STRING_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", _unquoted(text))) or found
    return found


def is_whole(draft: Draft) -> bool:
    """Return whether a draft has texts and tags. Models that think quote the format, with dots for the texts."""
    texts = (draft.get("title"), draft.get("summary"))
    return "tags" in draft and all(isinstance(text, str) and text.strip(PLACEHOLDER) for text in texts)


def _unquoted(text: str) -> str:
    """Return what is in a JSON string if the text is one."""
    try:
        inner = DECODER.decode(text) if text.lstrip().startswith('"') else text
    except ValueError:
        inner = text
    return str(inner)


def _last_draft(text: str) -> Draft | None:
    last = None
    for draft in filter(None, map(_unwrapped, objects_in(text))):
        if last is None or is_whole(draft) or not is_whole(last):
            last = draft
    return last


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text that are not inside another one, in linear time."""
    position, failures_left = 0, MOST_FAILURES
    while failures_left and (start := OBJECT_START.search(text, position)):
        try:
            found, position = DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.start() + 1
            failures_left -= 1
        else:
            yield found


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
    """Return the fields of a draft in an object. Ignore case and separators in their names."""
    named = ((FIELDS.get(NO_LETTER.sub("", key.lower())), value) for key, value in found.items())
    return {name: _texts(value) for name, value in named if name}


def _texts(value: object) -> object:
    """Keep a text, and the texts in a list. What else a model says in a field is no part of a draft."""
    if isinstance(value, list):
        return [text for text in value if isinstance(text, str)]
    return value if isinstance(value, str) else None

"""Content that is a list of parts instead of a text, as some servers send it."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any


def text_of_parts(content: object) -> str | None:
    """Return the texts in the content, joined. A JSON object in place of the content is returned as JSON."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return json.dumps(content)
    return "".join(_texts(content)) if isinstance(content, list) else None


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str):
            yield text


def reading_parts(init: Callable[..., None]) -> Callable[..., None]:
    """Return the `__init__` of a message class, changed to accept such content."""

    @wraps(init)
    def read(self: object, content: object = None, *args: Any, **fields: Any) -> None:
        init(self, text_of_parts(content), *args, **fields)

    return read

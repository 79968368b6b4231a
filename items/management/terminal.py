"""Text of users on a terminal: without control characters, in the terminal's encoding, in columns."""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

GAP = "  "
# Words of Persian and Indian languages, and emoji, consist of them.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def printable(text: str, encoding: str) -> str:
    """Escape characters that move the cursor, reorder the line, or are unknown to the encoding."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if _is_shown(character, encoding) else character.encode("unicode_escape").decode()
        for character in text
    )


def as_json(value: Any, encoding: str) -> str:
    """Return an indented JSON document. What `printable` escapes is escaped as JSON does it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        character if character == "\n" or _is_shown(character, encoding) else json.dumps(character)[1:-1]
        for character in text
    )


def _is_shown(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return character.isprintable() or character in JOINERS


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide character, none for a combining one."""
    return sum(
        0
        if unicodedata.combining(character) or character in JOINERS
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def in_columns(rows: Sequence[Sequence[str]], encoding: str) -> Iterator[str]:
    """Yield a line for each row, with its cells below those of the first row."""
    shown = [[printable(cell, encoding) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield GAP.join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()

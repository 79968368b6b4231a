"""Removes what models put around a title, a summary or a tag: quotes, Markdown, bullets, numbering, labels."""

import json
import re
from collections.abc import Iterable
from itertools import islice

# Longest first, so that ** is not read as two of *.
PAIRS = (
    *(("*" * count, "*" * count) for count in (3, 2, 1)),
    ("__", "__"),
    ("_", "_"),
    *((mark, mark) for mark in "\"'`"),
    *("“”", "„“", "„”", "‟”", "‘’", "‚‘", "«»", "»«", "‹›", "「」", "『』"),
)
APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
HEADING = re.compile(r"(?:#{1,6}\s+)+")
BULLET = re.compile(r"(?:[-*+–—]\s+|[•▪◦‣·]\s*)+")
NUMBER = re.compile(r"\(?(\d{1,2})[.):]\s*(?=\S)")

TAGS_LABEL = re.compile(r'[\s*"]*tags[\s*"]*:[\s*]*', re.IGNORECASE)
SEPARATOR = re.compile(r"[\r\n\v\f\x85\u2028\u2029,;|•\u3001\uff0c\uff1b\u060c\u061b]|\s(?=#)")
# Far more than a draft keeps.
MOST_TAGS_READ = 100


def without_quotes(text: str) -> str:
    """Remove quotes, heading marks and emphasis around the whole text. Marks that enclose a part of it are kept."""
    while (shorter := _without_pair(_without_beginning(HEADING, text))) != text:
        text = shorter
    return text


def _without_pair(text: str) -> str:
    for opening, closing in PAIRS:
        inner = text[len(opening) : -len(closing)]
        if (
            len(text) >= len(opening) + len(closing)
            and text.startswith(opening)
            and text.endswith(closing)
            and not any(mark in APOSTROPHE.sub("", inner) for mark in (opening, closing))
            and ("_" not in opening or " " in inner)  # __init__ is a name
        ):
            return inner.strip()
    return text


def _without_beginning(pattern: re.Pattern[str], text: str) -> str:
    beginning = pattern.match(text)
    return text[beginning.end() :] if beginning else text


def without_bullet(tag: str) -> str:
    return _without_beginning(BULLET, tag)


def without_numbering(tags: list[str]) -> list[str]:
    """Remove numbers that count the tags from 1. Any other number belongs to its tag, as in "2. Weltkrieg"."""
    while len(tags) > 1:
        numbers = [NUMBER.match(tag) for tag in tags]
        if [number and int(number[1]) for number in numbers] != list(range(1, len(tags) + 1)):
            break
        tags = [tag[number.end() :] for tag, number in zip(tags, numbers, strict=True) if number]
    return tags


def listed_tags(value: object) -> list[str]:
    """Return the tags in a list, or in a text that lists them in any usual way."""
    tags = _texts(value if isinstance(value, list | tuple) else [value])
    return _split(tags[0]) if len(tags) == 1 else tags


def _split(text: str) -> list[str]:
    text = _without_beginning(TAGS_LABEL, text)
    if text.lstrip().startswith("["):
        try:
            return _texts(json.loads(text, strict=False))
        except (ValueError, RecursionError):
            text = text.strip().removeprefix("[").removesuffix("]")
    return SEPARATOR.split(text, maxsplit=MOST_TAGS_READ)[:MOST_TAGS_READ]


def _texts(tags: Iterable[object]) -> list[str]:
    """Keep texts, and numbers as texts."""
    texts = (str(tag) for tag in tags if isinstance(tag, str | int | float) and not isinstance(tag, bool))
    return list(islice(texts, MOST_TAGS_READ))

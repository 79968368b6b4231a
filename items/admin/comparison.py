"""Which words of a draft are in its text, and which words of it a reviewer changed. The result is escaped HTML."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Self

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from items.models import Item
from items.search import marked_at
from items.texts import comparable

# With combining marks, which are no letters.
WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
SHORTEST_WORD = 4
MARKS_MAX = 500
"""Words marked in a text."""
DIFF_WORDS_MAX = 300
"""Words and gaps of a field that are compared. A summary has about 160; the time grows with their cube at worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWords:
    """A field of the draft as HTML, with the words marked that are not in the text."""

    name: str
    marked: SafeString
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Words match in any case and normal form. Short words are left out, but numbers are not."""

    text: SafeString
    fields: tuple[FieldWords, ...]

    @classmethod
    def of(cls, item: Item) -> Self:
        text = item.raw_text
        values = (("Title", item.title), ("Summary", item.summary), ("Tags", ", ".join(item.tags)))
        drafted = {word for _, value in values for word, _ in _words(value or "")}
        if not drafted:
            return cls(text=escape(text), fields=())
        searched, in_text = comparable(text), set()
        places: list[tuple[int, int]] = []
        for word, place in _words(text):
            in_text.add(word)
            if word in drafted and len(places) < MARKS_MAX:
                places.append(place)
        known = {word for word in drafted if word in in_text or (not _has_digit(word) and word in searched)}
        fields = tuple(_compared(name, value, known) for name, value in values if value)
        return cls(text=marked_at(text, places), fields=fields)


def changed_words(stored: str, typed: str) -> SafeString:
    """Return the typed text as HTML, with what was removed in <del> and what was added in <ins>."""
    before, after = _tokens(stored), _tokens(typed)
    if max(len(before), len(after)) > DIFF_WORDS_MAX:
        return format_html("<del>{}</del> <ins>{}</ins>", stored, typed)
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    return format_html_join("", "{}", ((part,) for part in _changes(matcher, before, after)))


def changes_since(former: Mapping[str, Any] | None, item: Item) -> list[tuple[str, SafeString]]:
    """Return the fields that differ from those of a former draft, with their changed words marked."""
    if not former:
        return []
    pairs = (
        ("Title", former.get("title"), item.title),
        ("Summary", former.get("summary"), item.summary),
        ("Tags", ", ".join(former.get("tags") or ()), ", ".join(item.tags)),
    )
    return [(name, changed_words(old or "", new or "")) for name, old, new in pairs if (old or "") != (new or "")]


def _changes(matcher: "SequenceMatcher[str]", before: list[str], after: list[str]) -> Iterator[SafeString]:
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        old, new = "".join(before[old_start:old_end]), "".join(after[new_start:new_end])
        if kind == "equal":
            yield escape(new)
            continue
        if old:
            yield format_html("<del>{}</del>", old)
        if new:
            yield format_html("<ins>{}</ins>", new)


def _tokens(text: str) -> list[str]:
    """Split into words and gaps, as few as show that there are too many."""
    found = (match[0] for match in re.finditer(r"\s+|\S+", text))
    return list(islice(found, DIFF_WORDS_MAX + 1))


def _compared(name: str, value: str, known: Iterable[str]) -> FieldWords:
    places = [place for word, place in _words(value) if word not in known]
    return FieldWords(name=name, marked=marked_at(value, places), missing=len(places))


def _words(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for match in WORD.finditer(text):
        if len(match[0]) >= SHORTEST_WORD or _has_digit(match[0]):
            yield comparable(match[0]), match.span()


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)

"""The search for words in items. PostgreSQL finds them, and Python marks what was found."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.lookups import Regex
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from items.folding import Folding, folding
from items.models import ItemQuerySet
from items.texts import ELLIPSIS, cut, is_blank

SEARCH_MAX_LENGTH = 200
WORDS_MAX_COUNT = 10

WORD = re.compile(r'(?<!\S)"([^"]*[^"\s][^"]*)"(?!\S)|(\S+)')
# No tag contains a control character, so no phrase is found across two tags.
TAGS = Func(F("tags"), Value("\x01"), function="array_to_string", output_field=TextField())


class SearchTooLong(ValueError):
    """A search for more than WORDS_MAX_COUNT words or SEARCH_MAX_LENGTH characters."""


@dataclass(frozen=True)
class Search:
    """Words that must all be found, in any order. Without words, it finds all items and marks nothing."""

    words: tuple[str, ...] = ()
    ignores_accents: bool = False

    @classmethod
    def of(cls, text: str, *, ignores_accents: bool = False) -> Self:
        """Split a text into words and phrases in double quotes. The longest comes first, because it is the rarest.

        Raises SearchTooLong.
        """
        words = dict.fromkeys(" ".join((phrase or word).split()) for phrase, word in WORD.findall(text))
        visible = [word for word in words if not is_blank(word)]
        if len(visible) > WORDS_MAX_COUNT or len(text) > SEARCH_MAX_LENGTH:
            raise SearchTooLong
        return cls(tuple(sorted(visible, key=len, reverse=True)), ignores_accents)

    @cached_property
    def patterns(self) -> list[str]:
        return [self._folding.pattern(word) for word in self.words]

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        """Filter by words in the title, the summary, the tags or the text.

        The planner can estimate matches of `~`, but not of `LIKE` in any case. For common words it then reads the
        newest items until the page is full, instead of sorting all items.
        """
        for pattern in self.patterns:
            short = Q(title__regex=pattern) | Q(summary__regex=pattern) | Q(Regex(TAGS, pattern))
            items = items.filter(short | Q(raw_text__regex=pattern))
        return items

    def matches(self, text: str) -> bool:
        """Return whether one of the words is in the text."""
        return next(self._places(text), None) is not None

    def marked(self, text: str) -> SafeString:
        """Return the text as HTML, with the words in <mark>."""
        return marked_at(text, self._places(text))

    def excerpt(self, text: str, *, limit: int) -> SafeString:
        """Return at most `limit` characters as HTML: the first, or those around the first word if it comes later."""
        places = list(self._places(text))
        first, end = places[0] if places else (0, 0)
        start = _start_of_words_before(first, text, distance=limit // 4) if end > limit else 0
        dots = ELLIPSIS if start else ""
        part = cut(text[start:], limit - len(dots))
        return SafeString(dots) + marked_at(part, ((begin - start, end - start) for begin, end in places))

    @cached_property
    def _any_word(self) -> re.Pattern[str]:
        return re.compile("|".join(map(self._folding.without_gaps, self.patterns)))

    @property
    def _folding(self) -> Folding:
        return folding(ignores_accents=self.ignores_accents)

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where words start and end."""
        if not self.words:
            return
        seen, positions = self._folding.seen(text)
        for match in self._any_word.finditer(seen):
            yield positions[match.start()], positions[match.end()]


def marked_at(text: str, places: Iterable[tuple[int, int]]) -> SafeString:
    """Return the text as HTML, with what is at these places in <mark>."""
    parts: list[SafeString] = []
    shown = 0
    for start, end in places:
        if start >= len(text):
            break
        parts += (escape(text[shown:start]), format_html("<mark>{}</mark>", text[start:end]))
        shown = end
    return SafeString("".join([*parts, escape(text[shown:])]))


def _start_of_words_before(position: int, text: str, *, distance: int) -> int:
    """Return where the first whole word starts at most this far before the position."""
    _, *words = text[max(0, position - distance) : position].split(maxsplit=1) or [""]
    return position - len("".join(words))

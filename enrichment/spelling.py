"""Finds tags that are spellings of the same word: in another case, with another hyphen, or in the plural.

There is no dictionary. A plural is recognised by the s at its end, only if both tags exist: no tag is made singular.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from items.texts import comparable

# Spaces, underscores, hyphens, dashes and joiners. Between digits they separate numbers: 1-2 is not 12.
_SEPARATORS = r"[\s_\-\u2010-\u2015\u200c\u200d]+"
SEPARATORS = re.compile(rf"(?<!\d){_SEPARATORS}|{_SEPARATORS}(?!\d)")
SEPARATORS_BETWEEN_DIGITS = re.compile(_SEPARATORS)

SHORTEST_PLURAL = 4
SIBILANTS = ("s", "x", "z", "ch", "sh")


class Spellings:
    """A set of tags, in which the first spelling of each word counts."""

    def __init__(self, tags: Iterable[str] = ()) -> None:
        self.tags: list[str] = []
        self._by_word: dict[str, str] = {}
        self._by_singular: dict[str, str] = {}
        for tag in tags:
            self.add(tag)

    def add(self, tag: str) -> None:
        self.tags.append(tag)
        word = folded(tag)
        self._by_word.setdefault(word, tag)
        for singular in singulars(word):
            self._by_singular.setdefault(singular, tag)

    def find(self, tag: str) -> str | None:
        """Return the known spelling of a tag, by its singular or plural only if there is no closer one."""
        if tag in self.tags:
            return tag
        word = folded(tag)
        for known in (word, *singulars(word)):
            if known in self._by_word:
                return self._by_word[known]
        return self._by_singular.get(word)

    def respelled(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the tags, with known ones in their known spelling."""
        if not self.tags:
            return tuple(tags)
        return tuple(dict.fromkeys(self.find(tag) or tag for tag in tags))


def distinct(tags: Iterable[str]) -> Iterator[str]:
    """Yield the first spelling of each tag."""
    seen = Spellings()
    for tag in tags:
        if seen.find(tag) is None:
            seen.add(tag)
            yield tag


def folded(tag: str) -> str:
    """Return a tag without case, typography, separators and a leading #."""
    plain = comparable(unicodedata.normalize("NFKC", tag)).lstrip("# ")
    return SEPARATORS_BETWEEN_DIGITS.sub("-", SEPARATORS.sub("", plain)) or tag


def singulars(word: str) -> Iterator[str]:
    """Yield the words that this word may be the plural of."""
    if len(word) < SHORTEST_PLURAL or not word.endswith("s") or word.endswith("ss") or not word[-2].isalpha():
        return
    yield word[:-1]
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    elif word.endswith("es") and word[:-2].endswith(SIBILANTS):
        yield word[:-2]

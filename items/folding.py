"""Regular expressions that find a word however it is written: in any case and normal form, with invisible characters.

A pattern lists the characters that mean the same, so that the texts need no second column and no index, and the locale
of the database does not matter. The same pattern works in PostgreSQL and in Python.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import permutations

from items.texts import comparable

WHITE_SPACE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's default ignorable characters, as in a class."""

MARKS = "\u0300-\u036f\u0483-\u0487\u0653-\u0655\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
VOICING_MARKS = "\u3099\u309a"
JAMO_WITHIN_SYLLABLES = "\u1161-\u1175\u11a8-\u11c2"
# Of Hebrew, Arabic and Syriac.
POINTS = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a"
)

VARIED_CHARACTERS = range(0x30000)
"""Only these change with case or normal form."""

ORDERED_MARKS = 3
"""Up to so many marks of a letter are found in any order: six."""
CHAIN_LENGTH = 4
"""Up to so many letters are divided in every way: "sss" is also "ßs" and "sß"."""


class Folding:
    """The spellings of characters. A character together with its marks is called a letter."""

    def __init__(self, *, ignores_accents: bool) -> None:
        # A letter with a mark is another letter: e is not found in é.
        attached = VOICING_MARKS + JAMO_WITHIN_SYLLABLES + ("" if ignores_accents else MARKS)
        ignored = MARKS + POINTS if ignores_accents else ""
        self._letter = re.compile(f".[{attached}]*", re.DOTALL)
        self._ignored = re.compile(f"[{ignored}]" if ignored else "(?!)")
        self._skipped = re.compile(f"[{INVISIBLE}{ignored}]")
        self._gap = f"{self._skipped.pattern}*"
        self._end = f"(?!{self._gap}[{attached}])"
        self._spellings: dict[str, str] = defaultdict(str)
        self._ligatures: dict[tuple[str, ...], str] = defaultdict(str)
        self._starts: dict[tuple[str, ...], str] = defaultdict(str)
        self._ends: dict[tuple[str, ...], str] = defaultdict(str)
        for character in map(chr, VARIED_CHARACTERS):
            if unicodedata.decomposition(character) or character.casefold() != character:
                self._add(character)

    def pattern(self, word: str) -> str:
        """Return the regular expression of a word in which something is visible."""
        return self._gap.join(self._parts(self._letters(word))) + self._end

    def seen(self, text: str) -> tuple[str, Sequence[int]]:
        """Return the text without what patterns skip, and where each of its characters and its end are in the text."""
        if not self._skipped.search(text):
            return text, range(len(text) + 1)
        kept = [at for at, character in enumerate(text) if not self._skipped.match(character)]
        return "".join(text[at] for at in kept), [*kept, len(text)]

    def without_gaps(self, pattern: str) -> str:
        """Return the pattern for what `seen` returns. Python takes long to compile the other."""
        return pattern.replace(self._gap, "")

    def _letters(self, text: str) -> tuple[str, ...]:
        # A word of nothing but accents keeps them.
        bare = self._bare(text) or text
        key = unicodedata.normalize("NFD", comparable(bare))
        return tuple(self._letter.findall(self._bare(key) or key))

    def _bare(self, text: str) -> str:
        return self._ignored.sub("", unicodedata.normalize("NFD", text))

    def _add(self, character: str) -> None:
        letters = self._letters(character)
        key = "".join(letters)
        if key not in ("", character):
            self._spellings[key] += character
        if len(letters) > 1:
            self._ligatures[letters] += character
            for length in range(1, len(letters)):
                self._starts[letters[:length]] += character
                self._ends[letters[length:]] += character

    def _parts(self, letters: Sequence[str]) -> Iterator[str]:
        """Yield the patterns of letters, and those of several letters where a ligature may stand for some of them."""
        ligatures = dict(self._ligatures_within(letters))
        within = {start + n for start, length in ligatures for n in range(1, length)}
        at = 0
        while at < len(letters):
            end = next(end for end in range(at + 1, len(letters) + 1) if end not in within or end == at + CHAIN_LENGTH)
            yield self._chain(letters, at, end, ligatures)
            at = end

    def _ligatures_within(self, letters: Sequence[str]) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield where ligatures may stand. At both ends of the word, a part of one is enough: "f" is found in "ﬃ"."""
        count = len(letters)
        for start in range(count):
            for length in range(1, min(3, count - start) + 1):
                part = tuple(letters[start : start + length])
                found = self._ligatures.get(part, "")
                found += self._ends.get(part, "") if start == 0 else ""
                found += self._starts.get(part, "") if start + length == count else ""
                if found:
                    yield (start, length), found

    def _chain(self, letters: Sequence[str], at: int, end: int, ligatures: dict[tuple[int, int], str]) -> str:
        ways = []
        for length in range(1, end - at + 1):
            characters = ligatures.get((at, length), "")
            first = self._spelled(letters[at], characters) if length == 1 else _class(characters)
            if first:
                rest = [self._chain(letters, at + length, end, ligatures)] if at + length < end else []
                ways.append(self._gap.join([first, *rest]))
        return _any(ways)

    def _spelled(self, letter: str, others: str = "") -> str:
        """Return the pattern of one letter in all of its forms, or of other characters."""
        if letter == " ":
            return f"[{WHITE_SPACE}](?:{self._gap}[{WHITE_SPACE}])*"
        ways = [_class(others + self._characters(letter))]
        for base, *marks in _orders(letter):
            for length in reversed(range(len(marks))):
                head = _class(self._characters(base + "".join(marks[:length])))
                tail = (_class(self._characters(mark)) for mark in marks[length:])
                ways.append(head and self._gap.join([head, *tail]))
        return _any(ways)

    def _characters(self, letter: str) -> str:
        """Return the single characters that are this letter."""
        key = unicodedata.normalize("NFD", letter)
        composed = unicodedata.normalize("NFC", letter)
        return (composed if len(composed) == 1 else "") + self._spellings.get(key, "")


@cache
def folding(*, ignores_accents: bool) -> Folding:
    return Folding(ignores_accents=ignores_accents)


def _orders(letter: str) -> Iterable[Sequence[str]]:
    """Return the orders of the marks that look the same: those of one combining class keep theirs."""
    base, marks = letter[0], letter[1:]
    if not all(map(unicodedata.combining, marks)) or not 1 < len(marks) <= ORDERED_MARKS:
        return [letter]
    orders = dict.fromkeys(base + "".join(order) for order in permutations(marks))
    return [order for order in orders if unicodedata.normalize("NFD", order) == letter]


def _class(characters: str) -> str:
    """Return a pattern of one of these characters, and an empty one if there is none."""
    return f"[{''.join(map(re.escape, dict.fromkeys(characters)))}]" if characters else ""


def _any(ways: Iterable[str]) -> str:
    first, *others = dict.fromkeys(filter(None, ways))
    return f"(?:{'|'.join([first, *others])})" if others else first

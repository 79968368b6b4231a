"""Which words of a text carry it: weights for the summary, and tags to find the text by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import log2
from unicodedata import category, name

from enrichment.extraction.words import lowered, stop_words_of, words

TITLE_BONUS = 1.5
NAME_BONUS = 1.3
LIKE_ENDING_LENGTH = 3
LENGTH_FACTORS = {1: 0.2, 2: 0.5, 3: 0.7, 4: 0.9}
SHORT_LENGTH = 2
SYMBOLS_SOUGHT = 500
TAGS_COUNT = 5
TAGS_MIN_COUNT = 3

INSIDE_SENTENCE = re.compile(r"(?<=[\w,] )[^\W\d_][\w-]{0,30}")
ALPHABETS_END = "\u0900"


def weigh(text: str, *, title: str) -> dict[str, float]:
    """Each significant word in lower case with its weight: often, long, a name, or in the title."""
    counts = Counter(words(text))
    stop_words = stop_words_of(counts)
    names = names_in(text)
    in_title = set(words(title))
    return {
        word: (1 + log2(count))
        * length_factor(word)
        * (NAME_BONUS if word in names else 1)
        * (TITLE_BONUS if word in in_title else 1)
        for word, count in counts.items()
        if word not in stop_words and (len(word) > SHORT_LENGTH or word in names or not word.isascii())
    }


def names_in(text: str) -> set[str]:
    """Words with a capital inside of a sentence, which never come without."""
    inside = set(INSIDE_SENTENCE.findall(text))
    return {
        lowered(word)
        for word in inside
        if word[0].isupper() and word.lower() not in inside and (len(word) > SHORT_LENGTH or word.isupper())
    }


def length_factor(word: str) -> float:
    """Short words are vague in alphabets. In scripts where a character is a syllable or an idea they are not."""
    return LENGTH_FACTORS.get(len(word), 1) if word < ALPHABETS_END else 1


def tags(weights: Mapping[str, float], *, fallbacks: Iterable[str]) -> list[str]:
    """The weightiest words that are not forms of one another, filled up with the fallbacks when there are too few."""
    chosen: list[str] = []
    for word in ranked(weights):
        if not any(are_alike(word, other) for other in chosen):
            chosen.append(word)
        if len(chosen) == TAGS_COUNT:
            break
    return chosen if len(chosen) >= TAGS_MIN_COUNT else [*chosen, *fallbacks]


def symbol_names(text: str) -> Iterator[str]:
    """What the first emoji and other symbols of a text are called: `party popper`."""
    symbols = dict.fromkeys(character for character in text[:SYMBOLS_SOUGHT] if category(character) == "So")
    return islice((name(symbol, "").lower() for symbol in symbols), TAGS_MIN_COUNT)


def ranked(weights: Mapping[str, float]) -> Iterator[str]:
    """Heaviest first. Equals stay in the order of the text, so that the result does not depend on chance."""
    return iter(sorted(weights, key=weights.__getitem__, reverse=True))


def are_alike(word: str, other: str) -> bool:
    """`tag` and `tags`, `库` inside `数据库`: one of them is enough."""
    short, long = sorted((word, other), key=len)
    if short >= ALPHABETS_END:
        return short in long
    if len(long) - len(short) > LIKE_ENDING_LENGTH:
        return False
    return long.startswith(short[: max(3, len(short) - 2)]) or (len(short) > LIKE_ENDING_LENGTH and short in long)

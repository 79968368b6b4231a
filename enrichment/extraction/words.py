"""The words of a text that could say what it is about, in any script."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat

from enrichment.extraction.stop_words import (
    CHINESE_BREAKS,
    JAPANESE_BREAKS,
    KOREAN_PARTICLES,
    KOREAN_STOP_WORDS,
    STOP_WORDS,
    THAI_BREAKS,
)

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff"
THAI = "\u0e00-\u0e7f"
# Python's \w leaves out the vowel signs and accents that are characters of their own.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0971-\u0dff\u0e80-\u109f\u1780-\u17d3"
)
LETTER = rf"(?:[^\W\d_{HAN}{KANA}{THAI}]|[{MARKS}])"

TOKEN = re.compile(
    rf"(?P<han>[{HAN}々]{{1,}})|(?P<katakana>[\u30a1-\u30fa\u30fc]+)"
    rf"|(?P<word>{LETTER}(?:{LETTER}|\d|[-\u2010\u2011\u200c](?={LETTER}))*)"
)
HIRAGANA = re.compile("[\u3041-\u3096]")
FIRST_HANGUL = "\uac00"
HANGUL = re.compile("[\uac00-\ud7a3]")
HAN_PHRASE_LENGTHS = range(2, 7)
HAN_WORD_LENGTHS = (2, 3, 4)
KATAKANA_LENGTHS = range(2, 20)
KOREAN_MIN_LENGTH = 2
THAI_RUN = re.compile(f"[{THAI}]+")
THAI_WORD_LENGTHS = range(4, 16)
THAI_WORDS_COUNT = 60
WORD_MAX_LENGTH = 30


def words(text: str) -> Iterator[str]:
    """Candidates in lower case, repeated as often as the text repeats them."""
    text = lowered(text)
    is_japanese = HIRAGANA.search(text) is not None
    for token in TOKEN.finditer(text):
        kind, word = token.lastgroup, token[0]
        if kind == "word":
            if word >= FIRST_HANGUL and HANGUL.search(word):
                word = without_particle(word)
            if 0 < len(word) <= WORD_MAX_LENGTH and (word.isalpha() or is_readable(word)):
                yield word
        elif kind == "katakana":
            if len(word) in KATAKANA_LENGTHS:
                yield word
        elif is_japanese:
            yield from (part for part in JAPANESE_BREAKS.split(word) if len(part) in HAN_PHRASE_LENGTHS)
        else:
            yield from chinese_words(word)
    yield from thai_words(text)


def lowered(text: str) -> str:
    """Lower case without the dot that Unicode leaves behind of a Turkish capital I."""
    return text.lower().replace("i\u0307", "i")


def is_readable(word: str) -> bool:
    """Not a checksum or a serial number."""
    return sum(map(str.isdigit, word)) <= len(word) / 2


def without_particle(word: str) -> str:
    """The Korean word without what ties it to the sentence. Empty if nothing else is in it."""
    word = KOREAN_PARTICLES.sub("", word)
    return "" if len(word) < KOREAN_MIN_LENGTH or word in KOREAN_STOP_WORDS else word


def thai_words(text: str) -> Iterator[str]:
    """Phrases between particles. One that also stands inside of longer phrases counts each time."""
    phrases = {part for run in THAI_RUN.findall(text) for part in THAI_BREAKS.split(run)}
    candidates = sorted(
        (part for part in phrases if len(part) in THAI_WORD_LENGTHS), key=lambda part: (len(part), text.find(part))
    )
    for phrase in candidates[:THAI_WORDS_COUNT]:
        yield from repeat(phrase, text.count(phrase))


def chinese_words(run: str) -> Iterator[str]:
    """Phrases between particles, and the pairs, threes and fours of characters in them: the frequent ones are words."""
    for phrase in filter(None, CHINESE_BREAKS.split(run)):
        if len(phrase) in HAN_PHRASE_LENGTHS:
            yield phrase
        for size in HAN_WORD_LENGTHS:
            yield from (phrase[i : i + size] for i in range(len(phrase) - size + 1) if size != len(phrase))


def stop_words_of(counts: Counter[str]) -> frozenset[str]:
    """The stop words of the language that the text seems to be in. A word may be empty in one and full in another."""
    hits = {language: sum(counts[word] for word in stop & counts.keys()) for language, stop in STOP_WORDS.items()}
    most = max(hits.values())
    chosen: Iterable[frozenset[str]] = (STOP_WORDS[language] for language in hits if hits[language] > 0.6 * most)
    return frozenset().union(*chosen) if most else frozenset()

"""A summary of a text: the best of its own sentences, in their own order."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from enrichment.extraction.blocks import Document, Kind
from enrichment.extraction.sentences import SPACELESS, sentences
from enrichment.extraction.words import lowered, words

SENTENCES_COUNT = 3
SUMMARY_LENGTH = 500
SENTENCE_LENGTHS = range(15, 300)
DENSE_SENTENCE_LENGTHS = range(10, 150)
FULL_STOPS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔", ")", "»", "”", "」")  # noqa: RUF001  # of their scripts
LEAD_BONUS = 1.5
CANDIDATES_COUNT = 60

CODE = re.compile(r"[{}=$\\;|~]|\(\)|--|</|\s[#>]\s")
LETTERS = re.compile(r"[^\W\d_]+|[^\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    position: int
    kind: Kind


def summary_of(document: Document, weights: Mapping[str, float], *, title: str) -> str:
    """Up to three sentences that carry the weightiest words. Where there is no prose, the parts one after another."""
    candidates = [sentence for sentence in in_order(document) if is_prose(sentence.text)]
    distinct = {sentence.text.lower(): sentence for sentence in reversed(candidates)}.values()
    fresh = [sentence for sentence in distinct if not says_the_same(sentence.text, title)]
    if not fresh:
        return " · ".join(block.text for block in document.blocks)[: 2 * SUMMARY_LENGTH] or title
    best = sorted(fresh, key=lambda sentence: worth(sentence, weights), reverse=True)
    chosen = sorted(fitting(best), key=lambda sentence: sentence.position)
    return ("" if is_spaceless(chosen[0].text) else " ").join(sentence.text for sentence in chosen)


def is_spaceless(text: str) -> bool:
    return text.endswith(("。", "！", "？", "」", "”")) and not text.isascii()  # noqa: RUF001  # full-width punctuation


def in_order(document: Document) -> Iterator[Sentence]:
    position = 0
    for block in document.blocks:
        if block.kind is not Kind.HEADING:
            for text in sentences(block.text):
                yield Sentence(text, position, block.kind)
                position += 1
        if position > CANDIDATES_COUNT:
            return


def is_prose(text: str) -> bool:
    lengths = SENTENCE_LENGTHS if text[:1] < "\u0e00" else DENSE_SENTENCE_LENGTHS
    return (
        len(text) in lengths
        and (text.endswith(FULL_STOPS) or SPACELESS.search(text) is not None)
        and sum(map(len, LETTERS.findall(text))) > 0.6 * len(text)
        and len(CODE.findall(text)) <= len(text) / 50
    )


def says_the_same(text: str, title: str) -> bool:
    return lowered(text).rstrip("".join(FULL_STOPS)) == lowered(title).rstrip("".join(FULL_STOPS))


def worth(sentence: Sentence, weights: Mapping[str, float]) -> float:
    """How much a sentence says for its length. The beginning of a text and whole paragraphs say more."""
    significant = weights.keys() & words(sentence.text)
    density = sum(weights[word] for word in sorted(significant)) / (8 + len(significant))
    worth = density * (1 + LEAD_BONUS / (1 + sentence.position))
    if sentence.kind is not Kind.PROSE:
        worth *= 0.6
    if sentence.text.isupper():
        worth *= 0.3
    return worth


def fitting(best: list[Sentence]) -> Iterator[Sentence]:
    room = SUMMARY_LENGTH
    for sentence in best[:SENTENCES_COUNT]:
        if len(sentence.text) < room:
            yield sentence
            room -= len(sentence.text) + 1

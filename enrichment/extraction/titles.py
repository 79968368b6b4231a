"""A title for a text, taken from its own words."""

import re
from itertools import dropwhile

from enrichment.extraction.blocks import Block, Document, Kind
from enrichment.extraction.markup import URL, url_words, without_urls
from enrichment.extraction.sentences import sentences

TIMESTAMP = re.compile(
    r"[\[(]?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?"
    r"|[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d)[\])]?[ ,:]*"
)
LEGAL = re.compile(r"(?:copyright|©|\(c\)|licen[sc]e|spdx)", re.IGNORECASE)
READABLE = re.compile(r"[^\W_]")
WORD = re.compile(r"[^\W\d_]")
ENTRIES_IN_TITLE = 4
BLOCKS_IN_TITLE = 6
TITLE_LENGTH = 100
VAGUE_LENGTH = 40
VAGUE_WORDS_COUNT = 2


def title_of(document: Document) -> str:
    """What the text calls itself, or its first heading, sentence or entries. Empty if nothing can be read."""
    if WORD.search(document.subject):
        return document.subject
    readable = [block for block in document.blocks if READABLE.search(block.text)]
    blocks = list(dropwhile(lambda block: LEGAL.match(block.text), readable)) or readable
    return blocks_title(blocks[:BLOCKS_IN_TITLE]) if blocks else ""


def blocks_title(blocks: list[Block]) -> str:
    first, *rest = blocks
    if first.kind is Kind.ENTRY:
        return list_title(blocks)
    title = line_title(first.text)
    if first.kind is Kind.HEADING and rest and is_vague(title):
        return explained(title, blocks_title(rest))
    return title


def is_vague(heading: str) -> bool:
    """One or two words or a version number: not enough to know the text by."""
    return len(heading) <= VAGUE_LENGTH and (len(heading.split()) <= VAGUE_WORDS_COUNT or heading[-1] in "0123456789)")


def explained(heading: str, explanation: str) -> str:
    if heading.lower() in explanation.lower():
        return explanation
    return f"{heading}: {explanation}" if WORD.search(explanation) else heading


def list_title(blocks: list[Block]) -> str:
    """The first entry, if it is a sentence, else as many as show what the list is."""
    entries = [line_title(block.text) for block in blocks if block.kind is Kind.ENTRY]
    if blocks[0].text.endswith(".") or len(entries[0]) > TITLE_LENGTH // 2:
        return entries[0]
    return ", ".join(entries[:ENTRIES_IN_TITLE])


def line_title(text: str) -> str:
    """The first sentence that has words in it, without the time in front of a log line and without addresses."""
    text = TIMESTAMP.sub("", text, count=1) if TIMESTAMP.match(text) else text
    plain = without_urls(text)
    if not WORD.search(plain) and (url := URL.search(text)):
        return url_words(url[0])
    first = next((sentence for sentence in sentences(plain) if WORD.search(sentence)), plain) or text
    return first.strip(" *#-–—:").rstrip(".。।") or first  # noqa: RUF001  # dashes of all kinds

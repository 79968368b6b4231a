"""Completes the tags of a draft from what is at hand, so that no other request is needed."""

import re
from collections.abc import Sequence
from itertools import islice

from enrichment.providers import stub
from enrichment.schemas import DRAFT_TAGS_MIN_COUNT
from enrichment.spelling import distinct

# A letter or digit of a script with spaces between words.
LETTER = rf"(?:{stub.OTHER}|\d)"
EDGE = re.compile(rf"(?<!{LETTER})|(?!{LETTER})")


def fill_tags(tags: Sequence[str], *, text: str, vocabulary: Sequence[str]) -> list[str]:
    """Return the tags with the first of the owner's that the text mentions, and then its most frequent words."""
    mentioned = [tag for tag in vocabulary if mentions(text, tag)]
    return list(islice(distinct((*tags, *mentioned, *stub.draft(text).tags)), DRAFT_TAGS_MIN_COUNT))


def mentions(text: str, tag: str) -> bool:
    """Return whether the text has the tag as whole words, or anywhere in a script without spaces."""
    word = re.compile(re.escape(tag), re.IGNORECASE)
    found = word.search(text)
    # As one expression, this would take a hundred times as long.
    while found and not (EDGE.match(text, found.start()) and EDGE.match(text, found.end())):
        found = word.search(text, found.start() + 1)
    return found is not None

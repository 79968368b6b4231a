"""Completes the tags of a draft from what is at hand, so that no other request is needed."""

import re
from collections.abc import Sequence
from itertools import islice

from enrichment.providers import stub
from enrichment.schemas import DRAFT_TAGS_MIN_COUNT
from enrichment.spelling import distinct

# A letter or digit of a script with spaces between words.
LETTER = rf"(?:{stub.OTHER}|\d)"
EDGE = rf"(?:(?<!{LETTER})|(?!{LETTER}))"


def fill_tags(tags: Sequence[str], *, text: str, vocabulary: Sequence[str]) -> list[str]:
    """Return the tags with the first of the owner's that the text mentions, and then its most frequent words."""
    mentioned = [tag for tag in vocabulary if mentions(text, tag)]
    return list(islice(distinct((*tags, *mentioned, *stub.draft(text).tags)), DRAFT_TAGS_MIN_COUNT))


def mentions(text: str, tag: str) -> bool:
    """Return whether the text has the tag as whole words, or anywhere in a script without spaces."""
    return re.search(EDGE + re.escape(tag) + EDGE, text, re.IGNORECASE) is not None

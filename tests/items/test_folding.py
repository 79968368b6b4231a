"""Patterns find a word in a text exactly if what the two are compared by says so, in PostgreSQL and in Python."""

import re
import unicodedata
from collections.abc import Iterator

import psycopg
import pytest
import regex
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from items.folding import INVISIBLE, folding
from items.texts import comparable

PLAIN = "aefiknstxAEFIKNSTX .*\\[]^-(){}|?+$'\"%_0"
VARIED = (
    *"\xdf\u1e9e\u017f\u0131\u0130\xc5\u212b\xc4\xe4\xe9\xc9\xf1\u0149\u01f0\u1e9a\ufb01\ufb03\ufb05\u03c2\u03c3\u03a3\u03b1",
    *"\u1fb3\u0390\u0414\u0434\u0419\u0439\u03ad\u0388\u304b\u304c\ud55c\ud558\u0928\u0929\u212a\u2126\uf900\U0001f600\U0001f468\u20ac",
)
DECOMPOSED = (
    *(
        unicodedata.normalize("NFD", letter)
        for letter in "\xe9\xc9\xf1\u0160\u1eb9\u1ec7\u1ec6\u0439\u0419\xef\u304c\ud55c\ud558"
    ),
    *("e\u0302\u0323", "x\u0302", "a\u0308\u0301"),
)
ABOVE_OR_BELOW = 200  # the least of these combining classes
HIDDEN = ("\xad", "\u200b", "\u200d", "\ufeff", "\u2060", "\ufe0f", "\U000e0067")

words = (
    st.lists(st.sampled_from([*PLAIN, *VARIED, *DECOMPOSED]), min_size=1, max_size=4).map("".join).filter(comparable)
)
texts = st.lists(st.sampled_from([*PLAIN, *VARIED, *DECOMPOSED, *HIDDEN]), max_size=8).map("".join)


@st.composite
def word_and_text(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a text that often contains the word in another spelling."""
    word = draw(words)
    spell = draw(st.sampled_from(SPELLINGS))
    return " ".join(word.split()) or "x", draw(texts) + draw(st.sampled_from([spell(word), ""])) + draw(texts)


SPELLINGS = (
    str,
    str.upper,
    str.swapcase,
    str.casefold,
    "\xad".join,
    lambda word: unicodedata.normalize("NFC", word),
    lambda word: unicodedata.normalize("NFD", word),
    lambda word: "\u200b".join(unicodedata.normalize("NFD", word)),
)


def letters(text: str, *, ignores_accents: bool) -> list[str]:
    """Split what the text is compared by into letters with their marks."""
    if ignores_accents:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c) < ABOVE_OR_BELOW)
    key = re.sub(r"\s+", " ", comparable(text))
    if ignores_accents:
        key = "".join(c for c in unicodedata.normalize("NFD", key) if unicodedata.combining(c) < ABOVE_OR_BELOW)
        key = unicodedata.normalize("NFC", key)
    found: list[str] = []
    for character in key:
        if found and unicodedata.combining(character) >= ABOVE_OR_BELOW:
            found[-1] += character
        else:
            found.append(character)
    return found


def is_within(word: str, text: str, *, ignores_accents: bool) -> bool:
    part, whole = (letters(each, ignores_accents=ignores_accents) for each in (word, text))
    return any(whole[at : at + len(part)] == part for at in range(len(whole)))

"""Patterns find a word in a text exactly if what the two are compared by says so, in PostgreSQL and in Python."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import regex
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from items.folding import INVISIBLE, Folding, folding
from items.search import SEARCH_MAX_LENGTH
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
MATCHES = """
SELECT text ~ pattern FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS pairs (pattern, text, number)
ORDER BY number
"""


@st.composite
def word_and_text(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a text that often contains the word in another spelling."""
    word = draw(words)
    spell = draw(st.sampled_from(SPELLINGS))
    return " ".join(word.split()) or "x", draw(texts) + draw(st.sampled_from([spell(word), ""])) + draw(texts)


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


@pytest.fixture
def c_locale(db: None) -> Iterator[psycopg.Connection]:
    """Connect to a database that knows nothing about letters beyond ASCII."""
    config = connection.get_connection_params()
    name = f"{connection.settings_dict['NAME']}_c"
    reachable = {key: config[key] for key in ("host", "port", "user", "password") if key in config}
    with psycopg.connect(**reachable, dbname=config["dbname"], autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        try:
            with psycopg.connect(**reachable, dbname=name, autocommit=True) as connected:
                yield connected
        finally:
            server.execute(f'DROP DATABASE "{name}"')


def matches(cursor: Any, patterns: list[str], texts: list[str]) -> list[bool]:
    cursor.execute(MATCHES, [patterns, texts])
    return [found for (found,) in cursor.fetchall()]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pairs=st.lists(word_and_text(), min_size=1, max_size=30), ignores_accents=st.booleans())
def test_words_are_found_where_comparing_finds_them(
    c_locale: psycopg.Connection, pairs: list[tuple[str, str]], ignores_accents: bool
) -> None:
    spellings = folding(ignores_accents=ignores_accents)
    patterns = [spellings.pattern(word) for word, _ in pairs]
    texts = [text for _, text in pairs]

    expected = [is_within(word, text, ignores_accents=ignores_accents) for word, text in pairs]
    in_python = [
        re.search(spellings.without_gaps(pattern), spellings.seen(text)[0]) is not None
        for pattern, text in zip(patterns, texts, strict=True)
    ]

    assert in_python == expected
    assert matches(c_locale.cursor(), patterns, texts) == expected
    with connection.cursor() as cursor:
        assert matches(cursor, patterns, texts) == expected


def test_skipped_characters_are_those_that_unicode_ignores() -> None:
    characters = "".join(map(chr, range(sys.maxunicode + 1)))

    skipped = re.findall(f"[{INVISIBLE}]", characters)

    assert skipped == regex.findall(r"\p{Default_Ignorable_Code_Point}", characters)


@pytest.mark.parametrize("ignores_accents", [False, True])
@pytest.mark.parametrize(
    "letters", ["a", "s", "f", "\u1ec7", "\ud55c", "\u1fb7", "a\u0301\u0323\u0327", "a\u0301", "\\", "ss\xdf"]
)
@pytest.mark.django_db
def test_longest_words_are_not_too_large_for_postgresql(letters: str, ignores_accents: bool) -> None:
    word = (letters * SEARCH_MAX_LENGTH)[:SEARCH_MAX_LENGTH]

    pattern = folding(ignores_accents=ignores_accents).pattern(word)

    with connection.cursor() as cursor:
        assert matches(cursor, [pattern, pattern], [word, "a"]) == [True, False]


@pytest.mark.parametrize(
    ("text", "kept", "places"),
    [("abc", "abc", [0, 1, 2, 3]), ("a\u200bc", "ac", [0, 2, 3]), ("", "", [0])],
)
def test_each_seen_character_has_its_place(text: str, kept: str, places: list[int]) -> None:
    seen, found = folding(ignores_accents=False).seen(text)

    assert (seen, list(found)) == (kept, places)


@pytest.fixture(scope="module")
def made_anew() -> Folding:
    """Not one that an earlier test has made."""
    return Folding(ignores_accents=False)


def test_letter_with_a_mark_is_another_letter(made_anew: Folding) -> None:
    text = "cafe\u0301"

    assert not re.search(made_anew.pattern("cafe"), text)
    assert re.search(folding(ignores_accents=True).pattern("cafe"), text)


@pytest.mark.parametrize("text", ["\ufb01s", "\ufb03s"])
def test_word_begins_within_any_ligature(made_anew: Folding, text: str) -> None:
    assert re.search(made_anew.pattern("is"), text)

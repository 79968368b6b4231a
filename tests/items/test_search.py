"""Words of a search: how they are split, what they find, and how they are marked."""

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from items.models import Item
from items.search import WORDS_MAX_COUNT, Search, SearchTooLong
from items.states import Status
from tests.items.factories import make_item

HOSTILE = "<script>alert('a & b')</script>\"{{ x }}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("garden", ("garden",)),
        ("  two\twords\n", ("words", "two")),
        ("same same", ("same",)),
        ('"a long  phrase" word', ("a long phrase", "word")),
        ('5" disk', ("disk", '5"')),
        ('say "yes', ('"yes', "say")),
        ('"" \'', ('""', "'")),
        ("?!", ("?!",)),
        ("\u200b \xad", ()),
        ("", ()),
    ],
)
def test_text_is_split_into_words_and_phrases(text: str, words: tuple[str, ...]) -> None:
    assert Search.of(text).words == words


@pytest.mark.parametrize("text", [" ".join(map(str, range(WORDS_MAX_COUNT + 1))), "a" * 201])
def test_search_for_too_much_is_refused(text: str) -> None:
    with pytest.raises(SearchTooLong):
        Search.of(text)


FOUND = {
    "a tag": "garden",
    "words in any order of several fields": "beans spring garden",
    "a part of a word": "lant",
    "a phrase": '"plant the beans"',
    "a phrase across a line break": '"beans in rows"',
    "another case": "ПРИВЕТ straSSe ΣΊΣΥΦΟΣ",
    "another normal form": "cafe\u0301 \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "across a soft hyphen": "gardening",
    "only punctuation": "(50%)",
}
NOT_FOUND = {
    "one word is missing": "garden winter",
    "a phrase in another order": '"beans plant"',
    "a phrase across two tags": '"garden spring"',
    "another accent": "cafe",
    "a letter of a syllable": "\u1112\u1161",
    "a pattern": "g.rden",
    "a wildcard": "gar%ing",
}


@pytest.fixture
def garden(owner: User) -> Item:
    make_item(owner, status=Status.ARCHIVED, title="Other", raw_text="An unrelated text", tags=["other"])
    return make_item(
        owner,
        status=Status.ARCHIVED,
        title="What to plant, Привет",
        summary="Plant the beans\n in rows: Straße, Σίσυφος",
        raw_text="Caf\xe9 한국, gar\xadden\u200bing (50%)",
        tags=["garden", "spring"],
    )


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_search_finds(garden: Item, text: str) -> None:
    assert list(Search.of(text).narrow(Item.objects.all())) == [garden]


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_search_does_not_find(garden: Item, text: str) -> None:
    assert not Search.of(text).narrow(Item.objects.all()).exists()


@pytest.mark.parametrize("text", ["cafe", "CAFÉ", "cäfë", "плаит", "ПЛАЙТ", "istanbul", "كتب"])
def test_accents_are_ignored_on_request(owner: User, text: str) -> None:
    item = make_item(owner, raw_text="Cafe\u0301, плайт, İstanbul, كَتَبَ")
    make_item(owner, raw_text="Another text")

    assert list(Search.of(text, ignores_accents=True).narrow(Item.objects.all())) == [item]


MARKED = {
    "each match": ("a", "Ana", "<mark>A</mark>n<mark>a</mark>"),
    "a longer word before its part": ("ab abc", "abcab", "<mark>abc</mark><mark>ab</mark>"),
    "what is invisible": ("ab", "xa\xad\u200bb\xad.", "x<mark>a\xad\u200bb\xad</mark>."),
    "another normal form": ("\xe9", "e\u0301.", "<mark>e\u0301</mark>."),
    "nothing without words": ("", "a<b", "a&lt;b"),
    "nothing in another letter": ("e", "\xe9e\u0301", "\xe9e\u0301"),
    "markup": ("<b>", "a<b>c", "a<mark>&lt;b&gt;</mark>c"),
    "between markup": ("amp", "<&amp>", "&lt;&amp;<mark>amp</mark>&gt;"),
    "an entity": (";", "&;", "&amp;<mark>;</mark>"),
}


@pytest.mark.parametrize(("words", "text", "html"), MARKED.values(), ids=MARKED)
def test_words_are_marked(words: str, text: str, html: str) -> None:
    assert Search.of(words).marked(text) == html


def test_mark_includes_the_accents_of_its_last_letter() -> None:
    assert Search.of("cafe", ignores_accents=True).marked("cafe\u0301s") == "<mark>cafe\u0301</mark>s"


@given(words=st.text(alphabet=HOSTILE + " ", max_size=10), text=st.text(alphabet=HOSTILE, max_size=60))
def test_marked_text_is_escaped(words: str, text: str) -> None:
    html = Search.of(words).marked(text)

    bare = html.replace("<mark>", "").replace("</mark>", "")
    assert bare == Search().marked(text)
    assert not set("<>\"'") & set(bare)


EXCERPTS = {
    "the start without words": ("", "one two three four", "one two t…"),
    "the start if the word is there": ("two", "one two three four", "one <mark>two</mark> t…"),
    "the surroundings of a later word": ("nine", "one two six nine ten eleven", "…<mark>nine</mark> ten…"),
    "nothing more of a text without blanks": ("x", "a" * 30 + "x" + "b" * 30, "…<mark>x</mark>bbbbbbb…"),
    "a short text whole": ("ten", "one ten", "one <mark>ten</mark>"),
}


@pytest.mark.parametrize(("words", "text", "html"), EXCERPTS.values(), ids=EXCERPTS)
def test_excerpt_shows(words: str, text: str, html: str) -> None:
    assert Search.of(words).excerpt(text, limit=10) == html


def test_excerpt_begins_with_a_whole_word() -> None:
    text = "word " * 50 + "needle" + " word" * 50

    assert Search.of("needle").excerpt(text, limit=40).startswith("…word <mark>needle</mark> word")

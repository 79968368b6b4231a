"""Words of a draft that are in its text, and words that were changed."""

import pytest
from django.contrib.auth.models import User

from items.admin.comparison import DIFF_WORDS_MAX, MARKS_MAX, Comparison, changed_words, changes_since
from items.models import Item


def compared(raw_text: str, title: str = "", summary: str = "", tags: tuple[str, ...] = ()) -> Comparison:
    return Comparison.of(Item(owner=User(), raw_text=raw_text, title=title, summary=summary, tags=list(tags)))


@pytest.mark.parametrize(
    ("title", "marked"),
    [
        ("Water the beans", "Water the beans"),
        ("WATER the bean", "WATER the bean"),
        ("Water the peas", "Water the <mark>peas</mark>"),
        ("Water 12 beans", "Water <mark>12</mark> beans"),
        ("Cafe\u0301 beans", "<mark>Cafe\u0301</mark> beans"),
        ("<b>peas</b>", "&lt;b&gt;<mark>peas</mark>&lt;/b&gt;"),
        ("Ein paar", "Ein <mark>paar</mark>"),
    ],
)
def test_words_that_are_not_in_the_text_are_marked(title: str, marked: str) -> None:
    (field,) = compared("Water the beans each evening, 120 of them.", title).fields

    assert field.marked == marked
    assert field.missing == marked.count("<mark>")


def test_words_of_the_draft_are_marked_in_the_text() -> None:
    found = compared("Water & <salt>, the cafe\u0301.", title="Salt water", summary="A caf\u00e9")

    assert found.text == "<mark>Water</mark> &amp; &lt;<mark>salt</mark>&gt;, the <mark>cafe\u0301</mark>."


def test_marks_in_a_text_are_bounded() -> None:
    assert compared("beans " * 20_000, title="beans").text.count("<mark>") == MARKS_MAX


def test_text_without_a_draft_is_not_marked() -> None:
    found = compared("<b>", title="")

    assert (found.text, found.fields) == ("&lt;b&gt;", ())


@pytest.mark.parametrize(
    ("stored", "typed", "html"),
    [
        ("one two", "one two", "one two"),
        ("one two", "one 2", "one <del>two</del><ins>2</ins>"),
        ("one", "one <b>", "one<ins> &lt;b&gt;</ins>"),
        ("one <b>", "one", "one<del> &lt;b&gt;</del>"),
        ("", "one", "<ins>one</ins>"),
    ],
)
def test_changed_words_are_marked(stored: str, typed: str, html: str) -> None:
    assert changed_words(stored, typed) == html


def test_changes_since_a_former_draft_are_of_its_fields() -> None:
    item = Item(owner=User(), title="New title", summary="The same.", tags=["one", "two"])
    former = {"title": "Old title", "summary": "The same.", "tags": ["one"]}

    assert changes_since(former, item) == [
        ("Title", "<del>Old</del><ins>New</ins> title"),
        ("Tags", "<del>one</del><ins>one, two</ins>"),
    ]
    assert changes_since(None, item) == []


def test_very_long_fields_are_not_compared() -> None:
    typed = "a " * DIFF_WORDS_MAX

    assert changed_words("a", typed) == f"<del>a</del> <ins>{typed}</ins>"

"""What models put around titles and tags is removed, and nothing that belongs to them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.tidying import MOST_TAGS_READ, listed_tags, without_bullet, without_numbering, without_quotes

TEXTS = st.text(st.sampled_from("ab #*_`\"'’“”«»「」1.)-"), max_size=40)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ('"A walk"', "A walk"),
        ("'A walk'", "A walk"),
        ("`A walk`", "A walk"),
        ("“A walk”", "A walk"),
        ("„Ein Weg“", "Ein Weg"),
        ("„Spacer”", "Spacer"),
        ("« Une marche »", "Une marche"),
        ("»Ein Weg«", "Ein Weg"),
        ("「散歩」", "散歩"),
        ("『散歩』", "散歩"),
        ("*A walk*", "A walk"),
        ("**A walk**", "A walk"),
        ("***A walk***", "A walk"),
        ("_A walk_", "A walk"),
        ("__A walk__", "A walk"),
        ("# A walk", "A walk"),
        ("###### A walk", "A walk"),
        ("# # A walk", "A walk"),
        ('## **"A walk"**', "A walk"),
        ("'Rock’n’roll isn't dead'", "Rock’n’roll isn't dead"),
        ('""', ""),
        ("**", ""),
    ],
)
def test_marks_around_the_whole_are_removed(given: str, left: str) -> None:
    assert without_quotes(given) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        "*",
        "A walk",
        '"A" and "B"',
        "'A' and 'B'",
        "“A” and “B”",
        "**A** and **B**",
        "*A* and *B*",
        '"A walk',
        'A walk"',
        "C# in depth",
        "#1 of the charts",
        "#hashtag",
        "####### seven",
        "__init__",
        "_private_",
        "rock'n'roll",
        "‘A’ and ‘B’",
        "5 * 3 *",
    ],
)
def test_marks_that_belong_to_the_text_are_kept(text: str) -> None:
    assert without_quotes(text) == text


@given(TEXTS)
def test_removing_quotes_twice_changes_nothing_more(text: str) -> None:
    once = without_quotes(text)

    assert without_quotes(once) == once


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("- garden", "garden"),
        ("* garden", "garden"),
        ("+ garden", "garden"),
        ("– garden", "garden"),
        ("•garden", "garden"),
        ("• - garden", "garden"),
        ("-garden", "-garden"),
        ("*args", "*args"),
        ("c++", "c++"),
        ("garden - beans", "garden - beans"),
    ],
)
def test_bullet_is_removed(given: str, left: str) -> None:
    assert without_bullet(given) == left


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["1. garden", "2. beans"], ["garden", "beans"]),
        (["1) garden", "2) beans", "3) rows"], ["garden", "beans", "rows"]),
        (["(1) garden", "(2) beans"], ["garden", "beans"]),
        (["1.garden", "2: beans"], ["garden", "beans"]),
        (["1. 1. garden", "2. 2. beans"], ["garden", "beans"]),
    ],
)
def test_numbering_is_removed(given: list[str], left: list[str]) -> None:
    assert without_numbering(given) == left


@pytest.mark.parametrize(
    "tags",
    [
        [],
        ["1. garden"],
        ["2. weltkrieg", "1. weltkrieg"],
        ["1. fc köln", "fußball"],
        ["fußball", "2. bundesliga"],
        ["1984", "1985"],
        ["1", "2"],
        ["1.", "2."],
        ["24 hours", "7 days"],
        ["1.5 percent"],
        ["100. birthday", "101. birthday"],
    ],
)
def test_number_of_a_tag_is_kept(tags: list[str]) -> None:
    assert without_numbering(tags) == tags


@pytest.mark.parametrize(
    "text",
    [
        '["garden", "beans", "rows"]',
        "['garden', 'beans', 'rows']",
        "[garden, beans, rows]",
        "[garden, beans, rows",
        "garden, beans, rows",
        "garden; beans; rows",
        "garden、beans、rows",
        "garden\uff0cbeans\uff0crows",
        "garden\uff1bbeans\uff1brows",
        "garden، beans، rows",
        "garden؛ beans؛ rows",
        "garden | beans | rows",
        "garden\nbeans\nrows",
        "garden\r\nbeans\r\nrows",
        "garden\u2028beans\u2028rows",
        "• garden • beans • rows",
        "#garden #beans #rows",
        "#garden\n#beans\n#rows",
        "Tags: garden, beans, rows",
        "**Tags:** garden, beans, rows",
        '"tags": ["garden", "beans", "rows"]',
    ],
)
def test_text_that_lists_tags_is_split(text: str) -> None:
    for value in (text, [text], (None, text)):
        tags = [tag.strip(" #'\"") for tag in listed_tags(value)]
        assert [tag for tag in tags if tag] == ["garden", "beans", "rows"]


@pytest.mark.parametrize("tag", ["c#", "c++", ".net", "rock'n'roll", "24 hours", "f# and c#", "and/or", "col·lecció"])
def test_single_tag_is_not_split(tag: str) -> None:
    assert listed_tags(tag) == [tag]


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        (["berlin, germany", "beans"], ["berlin, germany", "beans"]),
        ([1984, 3.5, "a"], ["1984", "3.5", "a"]),
        ([None, True, {}, [], "a", "b"], ["a", "b"]),
        (1984, ["1984"]),
        (None, []),
        ({"a": 1}, []),
        ([], []),
        ('["a", null, 5]', ["a", "5"]),
        (' ["a, b", "c"]', ["a, b", "c"]),
        ('["two\nlines"]', ["two\nlines"]),
    ],
)
def test_texts_and_numbers_in_a_list_are_tags(given: object, listed: list[str]) -> None:
    assert listed_tags(given) == listed


@pytest.mark.parametrize(
    "hostile",
    ["[" * 100_000, "a," * 100_000, json.dumps(["a"] * 100_000), "[" + '"a",' * 100_000],
    ids=["brackets", "commas", "list", "broken list"],
)
def test_tags_that_are_read_have_a_bound(hostile: str) -> None:
    assert 1 <= len(listed_tags(hostile)) <= MOST_TAGS_READ


def test_long_list_of_tags_has_a_bound() -> None:
    assert len(listed_tags(["a"] * 100_000)) == MOST_TAGS_READ

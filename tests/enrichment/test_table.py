"""The table that enrich_text prints."""

import pytest

from enrichment.management.table import table_lines, wrapped
from items.management.terminal import cells


def test_texts_wrap_beside_each_other() -> None:
    lines = list(
        table_lines(["model", "title"], [["one", "a walk along the river"], ["two", "beans"]], width=len("title") + 52)
    )

    assert lines == [
        "model  one                       two",
        "title  a walk along the river    beans",
    ]


def test_columns_that_do_not_fit_follow_below() -> None:
    columns = [[name, "text"] for name in ("one", "two", "three")]

    lines = list(table_lines(["model", "title"], columns, width=60))

    assert [line.split() for line in lines] == [
        ["model", "one", "two"],
        ["title", "text", "text"],
        [],
        ["model", "three"],
        ["title", "text"],
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijk", ["abcdefgh", "ijk"]),
        ("a bcdefghijkl", ["a", "bcdefghi", "jkl"]),
        ("庭の豆は五月に", ["庭の豆は", "五月に"]),
        ("e\u0301" * 9, ["e\u0301" * 8, "e\u0301"]),
    ],
)
def test_text_is_broken_by_the_cells_that_it_takes(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8) == lines
    assert all(cells(line) <= 8 for line in lines)


def test_narrow_terminal_still_gets_every_word() -> None:
    lines = list(table_lines(["title"], [["a walk along the river"], ["beans"]], width=1))

    assert " ".join(" ".join(lines).split()) == "title a walk along the river title beans"

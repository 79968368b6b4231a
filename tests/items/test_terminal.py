"""What a terminal is shown of users' texts."""

import json

import pytest

from items.management.terminal import as_json, cells, in_columns, printable
from items.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("café 日本", "utf-8", "café 日本"),
        ("café 日本", "ascii", r"caf\xe9 \u65e5\u672c"),
        ("café 日本", "latin-1", r"café \u65e5\u672c"),
        ("\x1b[2J\x07\r\n\t\x7f\x9b", "utf-8", r"\x1b[2J\x07\r\n\t\x7f\x9b"),
        ("left\u202eright\u2066", "utf-8", r"left\u202eright\u2066"),
        ("👨\u200d👩", "utf-8", "👨\u200d👩"),
        ("👨", "ascii", r"\U0001f468"),
    ],
)
def test_text_is_escaped_where_it_would_not_be_shown(text: str, encoding: str, shown: str) -> None:
    assert printable(text, encoding) == shown


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_is_valid_in_every_encoding(encoding: str) -> None:
    value = {"text": "café 日本 👨\u200d👩 \x1b\x7f\x9b\u202e\n", "none": None}

    document = as_json(value, encoding)

    assert json.loads(document.encode(encoding).decode(encoding)) == value
    assert not {"\x1b", "\x7f", "\x9b", "\u202e"} & set(document)


def test_columns_stand_below_each_other_with_wide_characters() -> None:
    lines = list(in_columns([("NAME", "STATE"), ("日本", "ok"), ("e\u0301", "ok")], "utf-8"))

    assert {cells(line[: line.rindex("  ")]) + 2 for line in lines} == {6}


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("amdin", " Did you mean admin?"), ("ADMIN2", " Did you mean admin?"), ("zz", ""), ("", "")],
)
def test_similar_names_are_suggested(name: str, suggested: str) -> None:
    assert did_you_mean(name, ["admin", "demo"]) == suggested

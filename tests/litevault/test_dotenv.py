"""The lines of `.env` that are read, and those that are refused."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from litevault.dotenv import variables_in


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NAME=value", "value"),
        ("NAME = value", "value"),
        ("  NAME=value  ", "value"),
        ("export NAME=value", "value"),
        ("\ufeffNAME=value", "value"),
        ("NAME=value # a comment", "value"),
        ("NAME= # a comment", ""),
        ("NAME=", ""),
        ("NAME=a#b=c", "a#b=c"),
        ("NAME='two words' # a comment", "two words"),
        ('NAME="two\\nlines"', "two\nlines"),
        ("NAME=$HOME/${HOME}", "$HOME/${HOME}"),
        ("NAME=value\r\n\r\n# a comment\r\n", "value"),
        ("NAME=first\nNAME=last", "last"),
    ],
)
def test_usual_spellings_of_a_line_are_read(tmp_path: Path, *, text: str, value: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes(text.encode())

    assert variables_in(file) == {"NAME": value}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("NAME canary", 1),
        ("NAME: canary", 1),
        ("=canary", 1),
        ("canary", 1),
        ("A=1\n\n# a comment\n\n  NAME canary=1", 5),
        ("A=1\nNAME='canary", 2),
        ('A=1\nNAME="canary\nB="\nC=2', 2),
        ("NAME='canary' x", 1),
        ("NAME=can\0ary", 1),
    ],
)
def test_other_line_is_refused_by_its_number(tmp_path: Path, *, text: str, line: int) -> None:
    file = tmp_path / ".env"
    file.write_text(text)

    with pytest.raises(ImproperlyConfigured) as refused:
        variables_in(file)

    assert str(refused.value) == f"Line {line} of {file} cannot be read. Write NAME=value on one line."


def test_missing_file_has_no_variables(tmp_path: Path) -> None:
    assert variables_in(tmp_path / ".env") == {}


def test_file_that_is_not_utf_8_is_refused_unquoted(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("NAME=canary".encode("utf-16"))

    with pytest.raises(ImproperlyConfigured) as refused:
        variables_in(file)

    assert str(refused.value) == f"{file} cannot be read. It must be a text file in UTF-8."
    assert refused.value.__cause__ is None

"""Named statements in SQL files."""

import pytest

from items.sql import named_statements


def test_statements_are_found_by_name_without_comments() -> None:
    text = "-- Why; and\n-- name: one\nSELECT 1\nFROM a;\n\n-- name: two\nSELECT 2;\n"

    assert named_statements(text) == {"one": "SELECT 1\nFROM a", "two": "SELECT 2"}


@pytest.mark.parametrize("text", ["-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;\n", "SELECT 1;\n"])
def test_statement_without_a_name_of_its_own_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        named_statements(text)

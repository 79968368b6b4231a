"""The SQL that Django does not write, and the names of the triggers and functions that it creates."""

import re
from pathlib import Path


def read(name: str) -> str:
    """Return the text of a file in this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def named_statements(text: str) -> dict[str, str]:
    """Return the statements by name: each begins after a line `-- name: …` and ends with a semicolon.

    Raises ValueError if two have the same name or one has none.
    """
    statements = dict(re.findall(r"^-- name: (\w+)\n(.+?);$", text, re.MULTILINE | re.DOTALL))
    if len(statements) != len(re.findall(r"^(?!--).*;$", text, re.MULTILINE)):
        raise ValueError("Every statement needs a name of its own.")
    return statements


QUEUE = named_statements(read("queue.sql"))

_SQL = read("triggers.sql") + read("claim.sql") + read("audit.sql") + read("pauses.sql")

EXPECTED_TRIGGERS = re.findall(r"^CREATE OR REPLACE TRIGGER (\w+)", _SQL, re.MULTILINE)
EXPECTED_FUNCTIONS = re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)", _SQL, re.MULTILINE)

"""The SQL that Django does not write, and the names of the triggers and functions that it creates."""

import re
from pathlib import Path


def read(name: str) -> str:
    """Return the text of a file in this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


EXPECTED_TRIGGERS = re.findall(r"^CREATE OR REPLACE TRIGGER (\w+)", read("triggers.sql"), re.MULTILINE)
EXPECTED_FUNCTIONS = re.findall(
    r"^CREATE OR REPLACE FUNCTION (\w+)", read("triggers.sql") + read("claim.sql"), re.MULTILINE
)

"""Every promise in docs/guarantees.md names tests that exist."""

import re
from pathlib import Path

from django.conf import settings

PROJECT = Path(settings.BASE_DIR)


def test_every_test_that_a_promise_names_exists() -> None:
    page = (PROJECT / "docs" / "guarantees.md").read_text()
    written = "\n".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))

    named = re.findall(r"`(test_\w+)`", page)
    files = re.findall(r"`(tests/[\w/]+\.py)`", page)

    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in written] == []
    assert [name for name in files if not (PROJECT / name).exists()] == []

"""Files to capture."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tides.txt"
    path.write_text("Tides rise and fall.")
    return path


@pytest.fixture
def three_lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\nthree")
    return path

"""Exports that cannot be written or are interrupted."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from items.transfer import json_lines
from items.transfer.records import ItemRecord
from tests.items.factories import make_item
from tests.items.transfer.commands import export_items


def test_export_of_a_missing_user_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="There is no user owner"):
        export_items("-")


def test_markdown_needs_a_folder(owner: User) -> None:
    with pytest.raises(CommandError, match="name a folder"):
        export_items("--markdown")


def test_missing_target_folder_is_reported(owner: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        export_items(tmp_path / "none" / "items.jsonl")


def test_folder_as_target_file_is_reported(owner: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        export_items(tmp_path)

    assert not list(tmp_path.parent.glob("*.partial"))


def test_interrupted_export_keeps_the_previous_file(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text("the former")
    make_item(owner)

    def broken(_record: ItemRecord) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(json_lines, "dump", broken)
    with pytest.raises(SystemExit):
        export_items(path)

    assert path.read_text() == "the former"
    assert list(tmp_path.iterdir()) == [path]

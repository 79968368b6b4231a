"""Exports that cannot be written or are interrupted."""

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from items.transfer import exporting, json_lines, markdown
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


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "file"])
@pytest.mark.parametrize("form", ["--markdown", ""])
def test_left_over_is_replaced_and_no_link_is_followed(owner: User, tmp_path: Path, form: str, kind: str) -> None:
    record = ItemRecord.from_item(make_item(owner))
    target = tmp_path / "items"
    path = target / markdown.path_for(record) if form else target
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    other = tmp_path / "other"
    if kind != "dangling link":
        other.write_text("of another program")
    match kind:
        case "file":
            partial.write_text("left over" * 10_000)
        case "hard link":
            partial.hardlink_to(other)
        case _:
            partial.symlink_to(other)

    export_items(target, *filter(None, [form]))

    assert path.read_bytes() == (markdown if form else json_lines).dump(record)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.is_symlink()
    assert not os.path.lexists(partial)
    assert other.exists() == (kind != "dangling link")
    assert kind == "dangling link" or other.read_text() == "of another program"


def test_file_put_in_the_way_fails_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    (tmp_path / "items.jsonl.partial").symlink_to(other)
    monkeypatch.setattr(Path, "unlink", lambda *_arguments, **_options: None)

    with pytest.raises(FileExistsError), exporting.atomic_file(tmp_path / "items.jsonl"):
        pass

    assert not other.exists()

"""The files of the machine are captured, exported and imported byte for byte, or refused by name."""

import codecs
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.texts import is_blank, raw_text_max_length
from items.transfer import sources
from tests.items.transfer.commands import capture, export_items, import_items

FOLDERS = (sys.prefix, "/usr/share/vim", "/usr/share/doc", "/usr/include", "/usr/share/perl")
FILES_PER_FOLDER = 1_000
TEXTS_MIN_COUNT = 2_000
FILE_MAX_BYTES = 2**20


def files_of_this_machine() -> Iterator[Path]:
    """Yield the first readable files of each folder, in the order of their names."""
    for top in FOLDERS:
        yield from islice(filter(is_small, readable_files(top)), FILES_PER_FOLDER)


def readable_files(top: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders.sort()
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if path.is_file() and os.access(path, os.R_OK))


def is_small(path: Path) -> bool:
    return path.stat().st_size < FILE_MAX_BYTES


def listed(summary: str) -> dict[str, str]:
    """Return what the summary says about each file that it lists."""
    return dict(line.strip().rsplit(": ", 1) for line in summary.splitlines() if line.startswith("  "))


def accepted_text(content: bytes, said: str | None) -> str | None:
    """Return the text that has to be stored, or None if the file has to be refused."""
    if said is not None and not is_encoding(said):
        return None
    return content.removeprefix(codecs.BOM_UTF8).decode(said or "utf-8")


def is_encoding(said: str) -> bool:
    try:
        return bool(codecs.lookup(said))
    except LookupError:
        return False


def has_reason(content: bytes, said: str) -> bool:
    """Check the reason for a refusal independently of what refused it."""
    if b"\0" in content:
        return said in {"binary", "with NUL characters", f"longer than {raw_text_max_length():,} characters"}
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return said.startswith(("not ", "longer than"))
    return said == ("blank" if is_blank(text) else f"longer than {raw_text_max_length():,} characters")


@pytest.mark.django_db
def test_files_of_this_machine_come_back_unchanged(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {str(path): path.read_bytes() for path in files_of_this_machine()}
    texts_count = sum(b"\0" not in content for content in files.values())
    if texts_count < TEXTS_MIN_COUNT:
        pytest.skip(f"This machine has {texts_count:,} text files in {FOLDERS}; {TEXTS_MIN_COUNT:,} are needed.")
    monkeypatch.setattr(sources, "EXAMPLES_COUNT", len(files))

    said = listed(capture(*files, "--no-enrich", "--allow-refused", "--owner", "owner"))
    export_items(tmp_path / "items.jsonl")
    Item.objects.all().delete()
    import_items(capsys, tmp_path / "items.jsonl")

    accepted = {path: accepted_text(content, said.get(path)) for path, content in files.items()}
    refused = {path for path, text in accepted.items() if text is None}
    expected = Counter(text for text in accepted.values() if text is not None)
    exported = Counter(json.loads(line)["rawText"] for line in (tmp_path / "items.jsonl").read_bytes().splitlines())
    print(texts_count, len(files), expected.total(), Counter(said.values()))
    assert said.keys() <= files.keys()
    assert [path for path in refused if not has_reason(files[path], said[path])] == []
    assert exported == expected
    assert Counter(Item.objects.values_list("raw_text", flat=True)) == expected
    # Most are texts that no rule refuses.
    assert expected.total() > texts_count / 2

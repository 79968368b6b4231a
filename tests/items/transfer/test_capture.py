"""capture with real files and a real database."""

import io
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from items.models import Item
from items.states import EnrichmentMode, SourceType, Status
from items.transfer.batches import BATCH_SIZE
from tests.items.transfer.commands import capture, capture_incompletely, raw_texts


def give_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))


def test_file_becomes_an_enriching_item(owner: User, file: Path) -> None:
    summary = capture(file, "--owner", "owner")

    item = Item.objects.get()
    assert (item.owner, item.raw_text, item.status) == (owner, "Tides rise and fall.", Status.ENRICHING)
    assert summary == "Captured 1 for owner.\n"


def test_standard_input_is_read_when_no_file_is_named(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, "Küstenströmung".encode())

    capture("--owner", "owner")

    assert raw_texts() == ["Küstenströmung"]


def test_dash_is_standard_input_among_files(owner: User, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b"From a pipe.")

    capture(file, "-", "--owner", "owner")

    assert raw_texts() == ["Tides rise and fall.", "From a pipe."]


def test_each_line_becomes_an_item(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\n\ntwo\n")

    summary = capture(path, "--each-line", "--owner", "owner")

    assert raw_texts() == ["one", "two"]
    assert summary == "Captured 2 for owner.\nSkipped 2: 2 blank.\n"


@pytest.mark.parametrize(
    ("separator", "content"), [("---", "one\n---\ntwo"), (r"\n\n", "one\n\ntwo"), (r"\0", "one\0two")]
)
def test_each_piece_becomes_an_item(owner: User, tmp_path: Path, separator: str, content: str) -> None:
    path = tmp_path / "pieces.txt"
    path.write_text(content)

    capture(path, f"--split={separator}", "--owner", "owner")

    assert raw_texts() == ["one", "two"]


def test_texts_without_enrichment_are_archived(owner: User, file: Path) -> None:
    capture(file, "--no-enrich", "--owner", "owner")

    item = Item.objects.get()
    assert (item.status, item.enrichment_mode) == (Status.ARCHIVED, EnrichmentMode.MANUAL)
    assert (item.title, item.source_type) == ("Tides rise and fall.", SourceType.NOTE)
    assert item.confirmed_at is not None


@pytest.mark.parametrize("option", [[], ["--once"]])
def test_lines_are_listed_in_their_order(owner: User, tmp_path: Path, option: list[str]) -> None:
    lines = [f"line {number}" for number in range(50)]
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(lines))

    capture(path, "--each-line", "--owner", "owner", *option)

    assert raw_texts() == lines


def test_many_lines_are_captured_in_batches(
    owner: User, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(2_000)))

    with django_assert_max_num_queries(20):
        capture(path, "--each-line", "--owner", "owner")

    assert Item.objects.count() == 2_000


def test_memory_does_not_grow_with_the_number_of_texts(owner: User, tmp_path: Path, settings: Settings) -> None:
    settings.DEBUG = True  # so that Django remembers its queries
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(3 * BATCH_SIZE)))

    capture(path, "--each-line", "--owner", "owner")

    remembered = sum(len(query["sql"]) for query in connection.queries_log)
    assert 0 < remembered < 2 * BATCH_SIZE * 300


def test_refused_texts_are_listed_and_others_captured(owner: User, file: Path, tmp_path: Path) -> None:
    contents = {"blank": b" \n", "long": b"x" * 100_001, "binary": b"a\0b", "latin": b"caf\xe9"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)

    summary, _ = capture_incompletely(tmp_path, tmp_path / "missing", tmp_path / "binary", "--owner", "owner")

    assert raw_texts() == ["Tides rise and fall."]
    assert summary.splitlines() == [
        "Captured 1 for owner.",
        "Refused 5: 1 blank, 1 not UTF-8, 1 longer than 100,000 characters, 1 no such file, 1 binary.",
        f"  {tmp_path}/blank: blank",
        f"  {tmp_path}/latin: not UTF-8",
        f"  {tmp_path}/long: longer than 100,000 characters",
        f"  {tmp_path}/missing: no such file",
        f"  {tmp_path}/binary: binary",
        "With --cut the first 100,000 characters of a long text are captured.",
        "With --encoding NAME, such as windows-1252, files in this encoding are captured.",
        "Skipped 1: 1 binary.",
        f"  {tmp_path}/binary: binary",
    ]


def test_long_list_of_refused_texts_is_cut(owner: User, tmp_path: Path) -> None:
    summary, _ = capture_incompletely(*(tmp_path / f"missing-{number}" for number in range(25)), "--owner", "owner")

    assert summary.count(": no such file\n") == 20
    assert summary.endswith("  … and 5 more\n")


def test_text_in_utf_8_that_is_too_long_can_be_cut(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("é" * 100_001)

    capture(path, "--cut", "--owner", "owner")

    assert raw_texts() == ["é" * 100_000]


def test_text_is_never_repeated_in_the_summary(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"my secret caf\xe9\n" + b"x" * 100_001)

    summary, errors = capture_incompletely(path, "--each-line", "--owner", "owner")

    assert f"{path}, line 1: not UTF-8" in summary
    assert "secret" not in summary + errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--timeout", "3"], "--timeout needs --wait"),
        (["--wait", "--no-enrich"], "nothing to --wait for"),
        (["--wait", "--timeout", "-1"], "--timeout"),
        (["--wait", "--timeout", "soon"], "--timeout"),
        (["--split", ""], "at least one character"),
        (["--split", "x", "--each-line"], "not allowed with"),
    ],
)
def test_invalid_options_are_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        capture(*arguments)

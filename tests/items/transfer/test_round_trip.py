"""Exported items are imported unchanged."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from items.models import Item
from items.states import Status
from items.transfer import exporting, importing, json_lines, markdown
from items.transfer.records import ItemRecord
from tests.items.factories import make_item
from tests.items.transfer.commands import contents, export_items, import_items
from tests.items.transfer.records import TRAPS, line, records


def one_of_each(owner: User) -> None:
    for number, status in enumerate(Status.values):
        make_item(owner, status=status, raw_text=f"{TRAPS[number]} text\r\nwith {number}\n")


@given(records())
@example(ItemRecord.parse(line(rawText="---\n")))
def test_json_line_round_trips(record: ItemRecord) -> None:
    written = json_lines.dump(record)

    assert written.count(b"\n") == 1
    assert ItemRecord.parse(written) == record


@given(records())
def test_markdown_round_trips(record: ItemRecord) -> None:
    assert markdown.parse(markdown.dump(record)) == record


@given(records())
def test_front_matter_is_valid_yaml(record: ItemRecord) -> None:
    front_matter = markdown.dump(record).decode().split("---\n")[1] if "---" not in str(record) else "{}"

    read = yaml.safe_load(front_matter)

    ours = record.model_dump(mode="json", by_alias=True)
    assert read == {name: ours[name] for name in read}


@pytest.mark.django_db
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30, deadline=None
)
@given(st.lists(records(), max_size=5, unique_by=lambda record: record.id))
def test_database_round_trips(owner: User, given_records: list[ItemRecord]) -> None:
    Item.objects.all().delete()
    found = [importing.FoundRecord("", record) for record in given_records]
    summary = importing.ImportSummary()

    importing.import_records(found, summary, owner=owner)

    assert (summary.imported, summary.refusals.count) == (len(given_records), 0)
    assert {record.id: record for record in exporting.read_items(owner)} == {one.id: one for one in given_records}


@pytest.mark.parametrize("arguments", [["items.jsonl"], ["items", "--markdown"]])
def test_items_in_every_status_round_trip(
    owner: User, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one_of_each(owner)
    before = contents(owner)
    target = tmp_path / arguments[0]
    export_items(target, *arguments[1:])
    Item.objects.all().delete()

    summary = import_items(capsys, target)

    assert summary == "Imported 5 for owner.\n"
    assert contents(owner) == before


@pytest.mark.parametrize("arguments", [["items.jsonl"], ["items", "--markdown"]])
def test_text_beyond_a_lowered_limit_is_exported_whole(
    owner: User, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    make_item(owner, raw_text="\U0001f642" * 100_000)
    before = contents(owner)
    target = tmp_path / arguments[0]
    settings.TEXT_MAX_LENGTH = 90_000
    export_items(target, *arguments[1:])
    Item.objects.all().delete()

    refused = import_items(capsys, target, exit_code=1)
    settings.TEXT_MAX_LENGTH = 100_000
    import_items(capsys, target)

    assert "rawText: may have at most 90,000 characters" in refused
    assert contents(owner) == before


def test_second_import_makes_no_duplicates_and_changes_nothing(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    export_items(tmp_path / "items.jsonl")
    item.edit(title="A better title")

    summary = import_items(capsys, tmp_path / "items.jsonl")

    assert summary == "Imported 0 for owner.\n1 existed already and were not changed.\n"
    assert Item.objects.get().title == "A better title"


def test_second_export_replaces_the_first(owner: User, tmp_path: Path) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    export_items(tmp_path, "--markdown")
    item.edit(title="A better title")

    export_items(tmp_path, "--markdown")

    (path,) = tmp_path.rglob("*.md")
    assert markdown.parse(path.read_bytes()).title == "A better title"
    assert path.stat().st_mode & 0o077 == 0


def test_only_the_items_of_the_owner_are_exported(owner: User, stranger: User, tmp_path: Path) -> None:
    make_item(owner, raw_text="mine")
    make_item(stranger, raw_text="not mine")

    export_items(tmp_path / "items.jsonl")

    assert [json.loads(text)["rawText"] for text in (tmp_path / "items.jsonl").read_bytes().splitlines()] == ["mine"]


def test_items_of_the_same_time_are_exported_once_each(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE_SIZE", 3)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    ids = {make_item(owner, created_at=moment).pk for _ in range(10)}

    exported = [record.id for record in exporting.read_items(owner)]

    assert len(exported) == 10
    assert set(exported) == ids


def test_many_items_take_few_queries(
    owner: User,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    Item.objects.capture_many(owner=owner, raw_texts=[f"text {number}" for number in range(2_500)])

    with django_assert_max_num_queries(8):
        export_items(tmp_path / "items.jsonl")
    Item.objects.all().delete()
    with django_assert_max_num_queries(25):
        import_items(capsys, tmp_path / "items.jsonl")

    assert Item.objects.count() == 2_500


def test_imported_enriching_item_is_due_at_once(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.jsonl").write_bytes(line(status="ENRICHING", title=None, summary=None, confirmedAt=None))

    import_items(capsys, tmp_path / "items.jsonl")

    item = Item.objects.get()
    assert (item.attempt_count, item.claimed_by) == (0, None)
    assert item.available_at <= datetime.now(UTC)

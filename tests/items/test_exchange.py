"""export_items and import_items: real files, a real database, and whatever an owner may have written."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from items.exchange import exporting, importing, json_lines, markdown
from items.exchange.record import InvalidRecord, ItemRecord
from items.models import Item
from items.states import EnrichmentMode, SourceType, Status
from tests.items.factories import make_item
from tests.waiting import until

FIELDS = [name for name in ItemRecord.model_fields if name != "id"]

# What has been taken for something else before: YAML's booleans, dates and marks, JSON's escapes, line breaks.
TRAPS = [
    "---", "---\ntitle: no\n---\n", "no", "null", "~", "2026-01-01", "0x10", "1e3", "- a", "a: b", "#", "'", '"', "{}",
    "&a", "*a", "!!python/object:os.system", "%", "@", "`", "|\n", ">\n", "a\r\nb\rc\n", "\n", "  x  ", "\t", "\x85",
    "\u2028", "\ufeff", "\x7f", "\x1b[31m", "\u202e", "😀", "e\u0301", "\\", "\\u0041", "\uffff", "\U0010ffff",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(TRAPS), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 10**17).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))


@st.composite
def records(draw: st.DrawFn) -> ItemRecord:
    """Anything that the database takes."""
    status = draw(st.sampled_from(Status))
    is_ready, is_failed = status == Status.READY_TO_CONFIRM, status == Status.FAILED
    text = TEXTS.map(lambda text: text[:50])
    optional = text if is_ready else st.none() | text
    error = text.map(lambda text: f"LLM_TIMEOUT: .{text}")
    types = st.sampled_from(SourceType)
    return ItemRecord(
        id=draw(st.uuids()),
        title=draw(optional),
        summary=draw(optional),
        tags=draw(st.lists(text, min_size=int(is_ready), max_size=5)),
        source_type=draw(types if is_ready else st.none() | types),
        status=status,
        enrichment_mode=draw(st.sampled_from(EnrichmentMode)),
        enrichment_error=draw(error if is_failed else st.none() | error),
        created_at=draw(MOMENTS),
        updated_at=draw(MOMENTS),
        confirmed_at=draw(MOMENTS if status == Status.ARCHIVED else st.none() | MOMENTS),
        raw_text=draw(TEXTS.filter(bool)),
    )


def contents(owner: User) -> dict[UUID, list[object]]:
    return {item.pk: [getattr(item, name) for name in FIELDS] for item in owner.items.all()}


def one_of_each(owner: User) -> None:
    for number, status in enumerate(Status.values):
        make_item(owner, status=status, raw_text=f"{TRAPS[number]} text\r\nwith {number}\n")


def export(*arguments: object) -> None:
    call_command("export_items", *map(str, arguments), "--owner", "owner")


def bring_back(capsys: pytest.CaptureFixture[str], *arguments: object, exit_code: int = 0, owner: str = "owner") -> str:
    try:
        call_command("import_items", *map(str, arguments), "--owner", owner)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    report = capsys.readouterr().out
    assert code == exit_code, report
    return report


def line(**changes: object) -> bytes:
    """A line of an archived item, with changes."""
    fields: dict[str, object] = {
        "id": str(uuid4()),
        "title": "Tides",
        "summary": "What tides do.",
        "tags": ["tides"],
        "sourceType": "NOTE",
        "status": "ARCHIVED",
        "enrichmentMode": "AI",
        "enrichmentError": None,
        "createdAt": "2026-11-01T10:00:00.123456Z",
        "updatedAt": "2026-11-01T11:00:00Z",
        "confirmedAt": "2026-11-01T12:00:00+01:00",
        "rawText": "Tides rise and fall.",
    }
    return (
        json.dumps({name: value for name, value in {**fields, **changes}.items() if value is not ...}).encode() + b"\n"
    )


# There and back again


@given(records())
@example(ItemRecord.read(line(rawText="---\n")))
def test_any_item_comes_back_from_a_line_as_it_was(record: ItemRecord) -> None:
    written = json_lines.line_of(record)

    assert written.count(b"\n") == 1
    assert ItemRecord.read(written) == record


@given(records())
def test_any_item_comes_back_from_markdown_as_it_was(record: ItemRecord) -> None:
    assert markdown.read(markdown.file_of(record)) == record


@given(records())
def test_any_front_matter_is_read_alike_by_others_who_read_yaml(record: ItemRecord) -> None:
    front_matter = markdown.file_of(record).decode().split("---\n")[1] if "---" not in str(record) else "{}"

    read = yaml.safe_load(front_matter)

    ours = record.model_dump(mode="json", by_alias=True)
    assert read == {name: ours[name] for name in read}


@pytest.mark.django_db
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(records(), max_size=5, unique_by=lambda record: record.id))
def test_any_item_survives_the_database_too(owner: User, given_records: list[ItemRecord]) -> None:
    Item.objects.all().delete()
    found = [importing.Found("", record) for record in given_records]

    stored = importing.store(found, owner=owner)

    assert (stored.imported, stored.refused) == (len(given_records), [])
    assert {record.id: record for record in exporting.records_of(owner)} == {one.id: one for one in given_records}


@pytest.mark.parametrize("arguments", [["items.jsonl"], ["items", "--markdown"]])
def test_items_in_every_status_come_back_as_they_were(
    owner: User, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one_of_each(owner)
    before = contents(owner)
    target = tmp_path / arguments[0]
    export(target, *arguments[1:])
    Item.objects.all().delete()

    report = bring_back(capsys, target)

    assert report == "Imported 5 for owner.\n"
    assert contents(owner) == before


def test_second_import_makes_no_duplicates_and_changes_nothing(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    export(tmp_path / "items.jsonl")
    item.edit(title="A better title")

    report = bring_back(capsys, tmp_path / "items.jsonl")

    assert report == "Imported 0 for owner.\n1 were there already, and stay as they are.\n"
    assert Item.objects.get().title == "A better title"


def test_second_export_replaces_the_first(owner: User, tmp_path: Path) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    export(tmp_path, "--markdown")
    item.edit(title="A better title")

    export(tmp_path, "--markdown")

    (path,) = tmp_path.rglob("*.md")
    assert markdown.read(path.read_bytes()).title == "A better title"
    assert path.stat().st_mode & 0o077 == 0


def test_only_the_items_of_the_owner_go_out(owner: User, stranger: User, tmp_path: Path) -> None:
    make_item(owner, raw_text="mine")
    make_item(stranger, raw_text="not mine")

    export(tmp_path / "items.jsonl")

    assert [json.loads(text)["rawText"] for text in (tmp_path / "items.jsonl").read_bytes().splitlines()] == ["mine"]


def test_items_of_the_same_moment_are_neither_lost_nor_doubled_between_pages(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_SIZE", 3)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    ids = {make_item(owner, created_at=moment).pk for _ in range(10)}

    exported = [record.id for record in exporting.records_of(owner)]

    assert len(exported) == 10
    assert set(exported) == ids


def test_many_items_take_few_questions(
    owner: User,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    Item.objects.capture_many(owner=owner, raw_texts=[f"text {number}" for number in range(2_500)])

    with django_assert_max_num_queries(8):
        export(tmp_path / "items.jsonl")
    Item.objects.all().delete()
    with django_assert_max_num_queries(25):
        bring_back(capsys, tmp_path / "items.jsonl")

    assert Item.objects.count() == 2_500


def test_imported_item_that_waits_is_due_at_once(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.jsonl").write_bytes(line(status="ENRICHING", title=None, summary=None, confirmedAt=None))

    bring_back(capsys, tmp_path / "items.jsonl")

    item = Item.objects.get()
    assert (item.attempt_count, item.claimed_by) == (0, None)
    assert item.available_at <= datetime.now(UTC)


# What does not go in


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{\n", "is not JSON in UTF-8"),
        (b"[" * 100_000 + b"\n", "is not JSON in UTF-8"),
        (b"[]\n", "must be an object"),
        (b"\xff\xfe\n", "is not JSON in UTF-8"),
        (b'"' + b"x" * (1 << 20) + b'"\n', "is too long to be an item"),
        (line(rawText=...), "rawText: is missing"),
        (line(rawText=""), "rawText: must have at least 1 character"),
        (line(rawText="x" * 10_001), "rawText: must have at most 10000 characters"),
        (line(rawText="secret\x00"), "rawText: may not contain a NUL character"),
        (line(rawText="secret\ud800"), "is not JSON in UTF-8"),
        (line(rawText=5), "rawText: must be a text"),
        (line(title="x" * 101), "title: must have at most 100 characters"),
        (line(tags="secret"), "tags: must be a list"),
        (line(tags=["a", 5]), "tags[1]: must be a text"),
        (line(tags=["a"] * 21), "tags: must have at most 20 of them"),
        (line(sourceType="secret"), "sourceType: must be one of 'NOTE' or 'ARTICLE'"),
        (line(status="FAILED"), "enrichmentError: is needed by an item that is FAILED"),
        (line(status="READY_TO_CONFIRM", tags=[]), "tags: is needed by an item that is READY_TO_CONFIRM"),
        (line(confirmedAt=None), "confirmedAt: is needed by an item that is ARCHIVED"),
        (line(enrichmentError="secret"), "enrichmentError: must be a code, a colon and a sentence"),
        (line(createdAt="yesterday"), "createdAt: must be a time in ISO 8601, with its zone"),
        (line(createdAt="2026-11-01T10:00:00"), "createdAt: must be a time in ISO 8601, with its zone"),
        (line(createdAt=1), "createdAt: must be a time in ISO 8601, with its zone"),
        (line(createdAt="0001-01-01T00:00:00Z"), "createdAt: must be a time from 1970 to 9000"),
        (line(id="secret"), "id: must be a UUID"),
        (line(secret=1), "secret: is unknown"),
        (line(**{"my secret": 1}), "?: is unknown"),
    ],
)  # fmt: skip
def test_line_that_is_no_item_is_refused_with_its_place_and_the_rest_goes_in(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line() + b"\n" + content + line())

    report = bring_back(capsys, path, exit_code=1)

    assert report == f"Imported 2 for owner.\nRefused 1.\n  {path}, line 3: {says}\n"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"---\n", b"", "line 1: has no front matter between two lines of ---"),
        (b'"ARCHIVED"', b"ARCHIVED", "line 7: status: must be a JSON value"),
        (b'"ARCHIVED"', b'"DONE"', "line 7: status: must be one of"),
        (b'"ARCHIVED"', b"[" * 100_000, "line 7: status: must be a JSON value"),
        (b"status:", b"id:", "line 7: names a field for the second time"),
        (b"status:", b"rawText:", "line 7: names a field for the second time"),
        (b"status:", b"secret text", "line 7: must be a JSON value"),
        (b"Tides rise", b"\xff", "line 14: is not UTF-8"),
        (b"Tides rise", b"x" * (1 << 20), "line 1: is too long to be an item"),
        (b"Tides rise", b"x" * 10_000, "line 1: rawText: must have at most 10000 characters"),
    ],
)
def test_markdown_that_is_no_item_is_refused_with_its_line_and_field(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes, says: str
) -> None:
    path = tmp_path / "item.md"
    path.write_bytes(markdown.file_of(ItemRecord.read(line())).replace(old, new, 1))

    report = bring_back(capsys, path, exit_code=1)

    assert f"  {path}, {says}" in report
    assert "secret" not in report
    assert not Item.objects.exists()


def test_item_of_another_owner_is_not_taken_away(
    owner: User, stranger: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_item(owner)
    export(tmp_path / "items.jsonl")

    report = bring_back(capsys, tmp_path / "items.jsonl", owner="stranger", exit_code=1)

    assert "line 1: id: belongs to an item of another owner" in report
    assert Item.objects.get().owner == owner


def test_item_that_stands_twice_goes_in_once(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line(id=str(UUID(int=1)), title="first") + line(id=str(UUID(int=1)), title="second"))

    report = bring_back(capsys, path)

    assert report == "Imported 1 for owner.\n1 were there already, and stay as they are.\n"
    assert Item.objects.get().title == "first"


def test_what_only_the_database_knows_to_refuse_holds_up_nothing_else(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line() + line(title="forbidden") + line())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE items ADD CONSTRAINT test CHECK (title <> 'forbidden')")

    report = bring_back(capsys, path, exit_code=1)

    assert report == f"Imported 2 for owner.\nRefused 1.\n  {path}, line 2: the database does not take it\n"


def test_missing_file_is_refused_and_the_rest_goes_in(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.jsonl").write_bytes(line())

    report = bring_back(capsys, tmp_path / "none.jsonl", tmp_path, exit_code=1)

    assert report == f"Imported 1 for owner.\nRefused 1.\n  {tmp_path}/none.jsonl: no such file\n"


# When it is not as it should be


def test_export_of_nobody_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="There is no user owner"):
        export("-")


def test_markdown_needs_a_folder(owner: User) -> None:
    with pytest.raises(CommandError, match="name a folder"):
        export("--markdown")


def test_file_that_cannot_be_written_is_told(owner: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        export(tmp_path / "none" / "items.jsonl")


def test_folder_that_stands_in_the_way_is_told(owner: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        export(tmp_path)

    assert not list(tmp_path.parent.glob("*.partial"))


def test_export_that_broke_leaves_the_former_file_alone(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text("the former")
    make_item(owner)

    def broken(_record: ItemRecord) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(json_lines, "line_of", broken)
    with pytest.raises(SystemExit):
        export(path)

    assert path.read_text() == "the former"
    assert list(tmp_path.iterdir()) == [path]


def test_invalid_record_says_nothing_of_what_stands_there() -> None:
    with pytest.raises(InvalidRecord) as refused:
        ItemRecord.read(line(rawText=["secret"], title={"secret": 1}, status="secret", createdAt="secret"))

    assert "secret" not in str(refused.value)
    assert len(refused.value.problems) == 4


# As processes


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    parts = connection.settings_dict
    credentials = f"{parts['USER']}:{parts['PASSWORD']}" if parts["PASSWORD"] else parts["USER"]
    url = f"postgresql://{credentials}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "LITEVAULT_DEBUG": "true", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.fixture
def many(transactional_db: None) -> User:
    owner = User.objects.create_user("owner")
    Item.objects.capture_many(owner=owner, raw_texts=[f"tëxt {number}" for number in range(3_000)])
    return owner


def test_pipe_from_export_to_import_keeps_everything(many: User) -> None:
    before = contents(many)
    with start("export_items", "--owner", "owner") as out:
        exported, said = out.communicate(timeout=60)
    Item.objects.all().delete()

    with start("import_items", "--owner", "owner", stdin=subprocess.PIPE) as back:
        report, complaints = back.communicate(exported, timeout=60)

    assert said == b"Exported 3,000 items of owner.\n"
    assert (report, complaints) == (b"Imported 3,000 for owner.\n", b"")
    assert contents(many) == before


def test_reader_of_an_export_may_go_away(many: User) -> None:
    with start("export_items", "--owner", "owner") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(60) == 1
        assert process.stderr.read() == b"Standard output was closed before all was written.\n"


def test_import_that_is_killed_goes_on_when_it_is_run_again(many: User, tmp_path: Path) -> None:
    before = contents(many)
    export(tmp_path / "items.jsonl")
    exported = (tmp_path / "items.jsonl").read_bytes()
    Item.objects.all().delete()
    with start("import_items", "--owner", "owner", stdin=subprocess.PIPE) as killed:
        assert killed.stdin is not None
        # More than a batch, but not all: it waits for the rest.
        killed.stdin.write(exported[: len(exported) // 2])
        killed.stdin.flush()
        until(lambda: Item.objects.count() >= importing.BATCH_SIZE)
        killed.send_signal(signal.SIGKILL)
        killed.wait(60)
    assert 0 < Item.objects.count() < 3_000

    with start("import_items", str(tmp_path / "items.jsonl"), "--owner", "owner") as again:
        report, _ = again.communicate(timeout=60)

    assert b"were there already" in report
    assert contents(many) == before

"""Records that import_items refuses."""

from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.transfer import markdown
from items.transfer.records import InvalidRecord, ItemRecord
from tests.items.factories import make_item
from tests.items.transfer.commands import export_items, import_items
from tests.items.transfer.records import line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{\n", "is not JSON in UTF-8"),
        (b"[" * 100_000 + b"\n", "is not JSON in UTF-8"),
        (b"[]\n", "must be an object"),
        (b"\xff\xfe\n", "is not JSON in UTF-8"),
        (b'"' + b"x" * (1 << 21) + b'"\n', "is too long to be an item"),
        (line(rawText=...), "rawText: is missing"),
        (line(rawText=""), "rawText: may not be blank"),
        (line(rawText="x" * 100_001), "rawText: may have at most 100,000 characters"),
        (line(rawText="secret\x00"), "rawText: may not contain a NUL character"),
        (line(rawText="secret\ud800"), "is not JSON in UTF-8"),
        (line(rawText=5), "rawText: must be a string"),
        (line(title="x" * 101), "title: may have at most 100 characters"),
        (line(tags="secret"), "tags: must be a list"),
        (line(tags=["a", 5]), "tags[1]: must be a string"),
        (line(tags=[f"tag {number}" for number in range(21)]), "tags: may hold at most 20 tags"),
        (line(sourceType="secret"), "sourceType: must be one of 'NOTE' or 'ARTICLE'"),
        (line(status="FAILED"), "enrichmentError: is required for an item that is FAILED"),
        (line(status="READY_TO_CONFIRM", tags=[]), "tags: is required for an item that is READY_TO_CONFIRM"),
        (line(confirmedAt=None), "confirmedAt: is required for an item that is ARCHIVED"),
        (line(enrichmentError="secret"), "enrichmentError: must be a code, a colon and a sentence"),
        (line(enrichmentError="CODE: Why.", errorReason="se cret"), "errorReason: must be a name such as KEY_REFUSED"),
        (line(enrichmentError="CODE: Why.", errorReason="A" * 41), "errorReason: must be a name such as KEY_REFUSED"),
        (line(errorReason="KEY_REFUSED"), "errorReason: requires enrichmentError"),
        (line(createdAt="yesterday"), "createdAt: must be a time in ISO 8601 with a time zone"),
        (line(createdAt="2026-11-01T10:00:00"), "createdAt: must be a time in ISO 8601 with a time zone"),
        (line(createdAt=1), "createdAt: must be a time in ISO 8601 with a time zone"),
        (line(createdAt="0001-01-01T00:00:00Z"), "createdAt: must be a time from 1970 to 9000"),
        (line(id="secret"), "id: must be a UUID"),
        (line(secret=1), "secret: is unknown"),
        (line(**{"my secret": 1}), "?: is unknown"),
    ],
)  # fmt: skip
def test_invalid_line_is_refused_and_the_others_imported(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line() + b"\n" + content + line())

    summary = import_items(capsys, path, exit_code=1)

    assert summary == f"Imported 2 for owner.\nRefused 1.\n  {path}, line 3: {says}\n"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"---\n", b"", "line 1: was not written by export_items; --from obsidian reads such files"),
        (b'"ARCHIVED"', b'"DONE"', "line 7: status: must be one of"),
        (b'"ARCHIVED"', b"2026-01-01", "line 7: status: must be one of"),
        (b'"ARCHIVED"', b"true", "line 7: status: must be one of"),
        (b'"ARCHIVED"', b"", "line 7: status: must be one of"),
        (b'"ARCHIVED"', b"ARCHIVED: secret", "line 7: is not YAML"),
        (b'"ARCHIVED"', b'"ARCHIVED', "line 8: is not YAML"),
        (b'"ARCHIVED"', b"\x01", "line 2: is not YAML"),
        (b'"ARCHIVED"', b"!!python/name:os.system secret", "line 7: status: may not use tags"),
        (b'"ARCHIVED"', b"&a secret", "line 7: status: may not use tags"),
        (b'"ARCHIVED"', b"*a", "line 7: status: may not use tags"),
        (b'"ARCHIVED"', b"[" * 60_000, "line 7: status: has too many levels"),
        (b'"ARCHIVED"', b"[" * 100_000, "line 1: has more than 65,536 characters of front matter"),
        (b"status:", b"id:", "line 7: repeats a field"),
        (b"status:", b"rawText:", "line 7: rawText: belongs below the front matter"),
        (b"status:", b"secret text", "line 8: is not YAML"),
        (b"status:", b"secret text:", "line 1: status: is missing"),
        (b"status:", b"? [secret]\n:", "line 7: must be fields of the form name: value"),
        (b"status:", b"--- secret\nstatus:", "line 7: must be fields of the form name: value"),
        (b'tags: ["tides"]', b"tags:\n- tides\n- [secret]", "line 5: tags[1]: must be a string"),
        (b"Tides rise", b"\xff", "line 15: is not UTF-8"),
        (b"Tides rise", b"x" * (1 << 20), "line 1: is too long to be an item"),
        (b"Tides rise", b"x" * 100_000, "line 1: rawText: may have at most 100,000 characters"),
    ],
)
def test_invalid_markdown_is_refused_with_line_and_field(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes, says: str
) -> None:
    path = tmp_path / "item.md"
    path.write_bytes(markdown.dump(ItemRecord.parse(line())).replace(old, new, 1))

    summary = import_items(capsys, path, exit_code=1)

    assert f"  {path}, {says}" in summary
    assert "secret" not in summary
    assert not Item.objects.exists()


def test_item_of_another_owner_is_refused(
    owner: User, stranger: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_item(owner)
    export_items(tmp_path / "items.jsonl")

    summary = import_items(capsys, tmp_path / "items.jsonl", owner="stranger", exit_code=1)

    assert "line 1: id: belongs to an item of another owner" in summary
    assert Item.objects.get().owner == owner


def test_repeated_item_is_imported_once(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line(id=str(UUID(int=1)), title="first") + line(id=str(UUID(int=1)), title="second"))

    summary = import_items(capsys, path)

    assert summary == "Imported 1 for owner.\n1 existed already and were not changed.\n"
    assert Item.objects.get().title == "first"


def test_item_that_the_database_refuses_does_not_stop_others(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line() + line(title="forbidden") + line())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE items ADD CONSTRAINT test CHECK (title <> 'forbidden')")

    summary = import_items(capsys, path, exit_code=1)

    assert summary == f"Imported 2 for owner.\nRefused 1.\n  {path}, line 2: refused by the database\n"


def test_missing_file_is_refused_and_the_others_imported(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.jsonl").write_bytes(line())

    summary = import_items(capsys, tmp_path / "none.jsonl", tmp_path, exit_code=1)

    assert summary == f"Imported 1 for owner.\nRefused 1.\n  {tmp_path}/none.jsonl: no such file\n"


def test_message_of_an_invalid_record_contains_no_values() -> None:
    with pytest.raises(InvalidRecord) as refused:
        ItemRecord.parse(line(rawText=["secret"], title={"secret": 1}, status="secret", createdAt="secret"))

    assert "secret" not in str(refused.value)
    assert len(refused.value.problems) == 4


def test_closed_standard_input_is_refused(
    owner: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)

    assert import_items(capsys, exit_code=1).endswith("  standard input: closed\n")


@pytest.mark.parametrize(("name", "reason"), [("", "no such file"), ("x" * 300, "cannot be read")])
def test_invalid_file_name_is_refused(owner: User, capsys: pytest.CaptureFixture[str], name: str, reason: str) -> None:
    assert import_items(capsys, name, exit_code=1).endswith(f"  {name}: {reason}\n")


def test_refused_file_may_be_allowed(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = import_items(capsys, tmp_path / "none.jsonl", "--allow-refused")

    assert "Refused 1." in summary

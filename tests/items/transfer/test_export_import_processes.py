"""export_items and import_items as processes: in a pipe, without a reader, killed."""

import signal
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.transfer import batches
from tests.items.transfer.commands import contents, export_items, start
from tests.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def many(transactional_db: None) -> User:
    owner = User.objects.create_user("owner")
    Item.objects.capture_many(owner=owner, raw_texts=[f"tëxt {number}" for number in range(3_000)])
    return owner


def test_pipe_from_export_to_import_keeps_everything(many: User) -> None:
    before = contents(many)
    with start("export_items", "--owner", "owner") as out:
        exported, said = out.communicate(timeout=PATIENCE_SECONDS)
    Item.objects.all().delete()

    with start("import_items", "--owner", "owner") as back:
        summary, errors = back.communicate(exported, timeout=PATIENCE_SECONDS)

    assert said == b"Exported 3,000 items of owner.\n"
    assert (summary, errors) == (b"Imported 3,000 for owner.\n", b"")
    assert contents(many) == before


def test_reader_of_an_export_may_go_away(many: User) -> None:
    with start("export_items", "--owner", "owner") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(PATIENCE_SECONDS) == 1
        assert process.stderr.read() == b"Standard output was closed before all items were written.\n"


def test_reader_of_an_import_summary_may_go_away(many: User, tmp_path: Path) -> None:
    export_items(tmp_path / "items.jsonl")
    Item.objects.all().delete()

    with start("import_items", "--owner", "owner", str(tmp_path / "items.jsonl")) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.wait(PATIENCE_SECONDS) == 0
        errors = process.stderr.read()

    assert errors == b"Standard output was closed before the summary was written. The imported items are kept.\n"
    assert Item.objects.count() == 3000


def test_repeated_import_after_a_kill_is_complete(many: User, tmp_path: Path) -> None:
    before = contents(many)
    export_items(tmp_path / "items.jsonl")
    exported = (tmp_path / "items.jsonl").read_bytes()
    Item.objects.all().delete()
    with start("import_items", "--owner", "owner") as killed:
        assert killed.stdin is not None
        # More than a batch, but not all, so that the process waits for the rest.
        killed.stdin.write(exported[: len(exported) // 2])
        killed.stdin.flush()
        until(lambda: Item.objects.count() >= batches.BATCH_SIZE)
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE_SECONDS)
    assert 0 < Item.objects.count() < 3_000

    with start("import_items", str(tmp_path / "items.jsonl"), "--owner", "owner") as again:
        summary, _ = again.communicate(timeout=PATIENCE_SECONDS)

    assert b"existed already" in summary
    assert contents(many) == before

"""Interrupted captures keep what they have stored, and can be repeated."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection

from items.management.commands import capture as command
from items.models import Item
from items.states import Status
from items.transfer.batches import BATCH_SIZE
from items.transfer.sources import Found, FoundText
from tests.items.other_connection import other_connection
from tests.items.transfer.commands import ADVICE, PATIENCE_SECONDS, capture, capture_incompletely, raw_texts, start
from tests.waiting import until


def interrupted(*_: object, **__: object) -> Iterator[Found]:
    yield from (FoundText("standard input", f"text {number}") for number in range(BATCH_SIZE + 3))
    raise KeyboardInterrupt


def test_batches_before_an_interrupt_are_kept(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "texts_from", interrupted)

    summary, errors = capture_incompletely("--owner", "owner", exit_code=130)

    assert Item.objects.count() == BATCH_SIZE
    assert summary == f"Captured {BATCH_SIZE} for owner.\n"
    assert errors == f"Interrupted. Everything captured so far is kept. {ADVICE}\n"


@pytest.mark.django_db(transaction=True)
def test_batches_before_a_database_failure_are_kept(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: object, **__: object) -> Iterator[Found]:
        yield from (FoundText("standard input", f"text {number}") for number in range(BATCH_SIZE))
        with other_connection() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [backend()])
        yield FoundText("standard input", "too late")

    monkeypatch.setattr(command, "texts_from", breaking)

    with pytest.raises(
        CommandError, match=r"The database does not answer\. Everything captured so far is kept\. A capture with --once"
    ):
        capture("--owner", "owner")

    connection.close()
    assert Item.objects.count() == BATCH_SIZE


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_repeated_capture_continues(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo")
    capture(path, "--each-line", "--once", "--owner", "owner")
    path.write_text("one\ntwo\nthree")

    summary = capture(path, "--each-line", "--once", "--owner", "owner")

    assert sorted(raw_texts()) == ["one", "three", "two"]
    assert summary == "Captured 1 for owner.\n2 were captured before.\n"


def test_equal_texts_are_one_item_with_once(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\none\ntwo")

    capture(path, "--each-line", "--once", "--owner", "owner")

    assert sorted(raw_texts()) == ["one", "two"]


def test_text_of_another_owner_is_captured_with_once(owner: User, stranger: User, file: Path) -> None:
    capture(file, "--once", "--owner", "owner")

    capture(file, "--once", "--owner", "stranger")

    assert (owner.items.count(), stranger.items.count()) == (1, 1)


def test_discarded_item_does_not_come_back(owner: User, file: Path) -> None:
    capture(file, "--once", "--owner", "owner")
    Item.objects.get().discard()

    capture(file, "--once", "--owner", "owner")

    assert Item.objects.get().status == Status.DISCARDED


@pytest.mark.django_db(transaction=True)
def test_repeated_capture_after_a_kill_is_complete(tmp_path: Path) -> None:
    lines = [f"line {number} of many that fill a buffer" * 4 for number in range(5 * BATCH_SIZE)]
    content = "\n".join(lines).encode()
    with start("capture", "--each-line", "--once") as killed:
        assert killed.stdin is not None
        killed.stdin.write(content[: len(content) * 2 // 3])
        killed.stdin.flush()
        until(Item.objects.exists)
        killed.kill()
        killed.wait(PATIENCE_SECONDS)
    there = Item.objects.count()

    with start("capture", "--each-line", "--once") as again:
        summary, _ = again.communicate(content, timeout=PATIENCE_SECONDS)

    assert 0 < there < len(lines)
    assert f"{there:,} were captured before." in summary.decode()
    assert sorted(raw_texts()) == sorted(lines)

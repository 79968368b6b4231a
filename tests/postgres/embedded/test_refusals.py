"""A failed start reports one sentence that says what to do."""

import socket
from pathlib import Path

import pytest

from postgres.embedded import embedded, server
from postgres.embedded.binaries import find_binaries
from postgres.embedded.embedded import running_postgres
from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.locks import FileLock
from tests.processes import named
from tests.waiting import until


def sentence_of_refusal(folder: Path) -> str:
    with pytest.raises(PostgresUnavailable) as refusal, running_postgres(folder, fsync=False):
        pass
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


def test_data_of_another_version(fragile_folder: Path) -> None:
    (fragile_folder / "data" / "PG_VERSION").write_text("9\n")

    sentence = sentence_of_refusal(fragile_folder)

    assert f"{fragile_folder / 'data'} belongs to PostgreSQL 9" in sentence
    assert "LITEVAULT_PG_BIN" in sentence


def test_folder_that_holds_no_data(empty_folder: Path) -> None:
    (empty_folder / "data").mkdir(parents=True)

    assert "is not a complete PostgreSQL data folder" in sentence_of_refusal(empty_folder)


def test_broken_data(fragile_folder: Path) -> None:
    (fragile_folder / "data" / "global" / "pg_control").unlink()

    sentence = sentence_of_refusal(fragile_folder)

    assert f"PostgreSQL cannot use the data in {fragile_folder / 'data'}" in sentence
    assert str(fragile_folder / "server.log") in sentence


def test_broken_settings_are_quoted(fragile_folder: Path) -> None:
    (fragile_folder / "data" / "pg_hba.conf").write_text("nonsense\n")

    assert 'It reported: "could not load' in sentence_of_refusal(fragile_folder)


def test_folder_that_cannot_be_written(empty_folder: Path) -> None:
    empty_folder.write_text("a file stands where the folder should be")

    assert f"{empty_folder} cannot be written" in sentence_of_refusal(empty_folder)


def test_unforeseen_failure_names_the_log(empty_folder: Path) -> None:
    (empty_folder / "password").mkdir(parents=True)

    assert f"The reason is in {empty_folder / 'keeper.log'}" in sentence_of_refusal(empty_folder)


def test_failed_initdb(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = empty_folder.parent / "bin"
    programs.mkdir()
    real = find_binaries()
    (programs / "postgres").symlink_to(real.postgres)
    (programs / "initdb").write_text('#!/bin/sh\n[ "$1" = --show ]\n')
    (programs / "initdb").chmod(0o755)
    monkeypatch.setenv("LITEVAULT_PG_BIN", str(programs))

    assert "initdb could not create the data folder" in sentence_of_refusal(empty_folder)


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        ("users.lock", "does not stop"),
        ("start.lock", "is still starting"),
        ("keeper.lock", "is not becoming ready"),
    ],
)
def test_waiting_for_another_process_has_a_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, held: str, sentence: str
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.05)
    monkeypatch.setattr(embedded, "LEAVE_SECONDS", 0.05)

    with FileLock(folder / held) as lock:
        assert lock.try_exclusive()

        assert sentence in sentence_of_refusal(folder)


def test_silent_keeper_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.05)

    # The keeper waits for the end of another server.
    with FileLock(folder / "server.lock") as lock:
        assert lock.try_exclusive()
        assert "The reason is in" in sentence_of_refusal(folder)
    monkeypatch.undo()
    until(lambda: not named(folder))


def test_server_that_does_not_become_ready_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_SECONDS", -1)
    slow = server.Server(folder, fsync=False)

    with FileLock(folder / "server.lock") as server_lock, pytest.raises(PostgresUnavailable, match="was not ready"):
        slow.start(server_lock)

    assert slow.process.returncode is not None


def test_machine_without_free_ports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, FileLock(folder / "server.lock") as server_lock:
        monkeypatch.setattr(server, "free_port", lambda: taken.getsockname()[1])

        with pytest.raises(PostgresUnavailable, match="found no free port"):
            server.Server(folder, fsync=False).start(server_lock)

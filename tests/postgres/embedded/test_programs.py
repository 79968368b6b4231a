"""The programs, locale and port of the server."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from postgres.embedded import server
from postgres.embedded.binaries import Binaries, find_binaries
from postgres.embedded.data import locale_options
from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.locks import FileLock
from tests.postgres.embedded.users import answer


def test_chosen_folder_without_programs_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LITEVAULT_PG_BIN", str(tmp_path))

    with pytest.raises(PostgresUnavailable, match="LITEVAULT_PG_BIN must name a folder"):
        find_binaries()


@pytest.mark.parametrize("says", ["echo 'postgres (PostgreSQL) 14.1'", "echo hello", "exit 1"])
def test_unsupported_program_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr("postgres.embedded.binaries.find_spec", lambda _: None)
    monkeypatch.setattr("postgres.embedded.binaries.DISTRIBUTION_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(PostgresUnavailable, match="PostgreSQL 15 to 18 was not found on this machine"):
        find_binaries()


def test_newest_version_of_the_distribution_is_the_last_resort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in (9, 15, 17):
        programs = tmp_path / str(version) / "bin"
        programs.mkdir(parents=True)
        for name in ("initdb", "postgres"):
            (programs / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.3 (Debian)'\n")
            (programs / name).chmod(0o755)
    monkeypatch.setattr("postgres.embedded.binaries.find_spec", lambda _: None)
    monkeypatch.setattr("postgres.embedded.binaries.DISTRIBUTION_FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert find_binaries() == Binaries(tmp_path / "17" / "bin", 17)


def test_version_without_builtin_locale_gets_another_locale(tmp_path: Path) -> None:
    assert locale_options(Binaries(tmp_path, 16)) in (["--locale=C.UTF-8"], ["--locale=C"])


def test_port_taken_meanwhile_is_replaced(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_folder.mkdir()
    free_port = server.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken, FileLock(empty_folder / "server.lock") as server_lock:
        ports = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr(server, "free_port", lambda: next(ports))
        ours = server.Server(empty_folder, fsync=False)

        url = ours.start(server_lock)

        assert answer(url, "SELECT 1") == 1
        ours.stop()

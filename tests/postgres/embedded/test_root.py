"""PostgreSQL refuses root: in containers and in CI the server runs as another account."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from postgres.embedded import privileges
from postgres.embedded.binaries import Binaries, find_binaries
from postgres.embedded.data import DataFolder
from postgres.embedded.embedded import running_postgres
from postgres.embedded.errors import PostgresUnavailable
from tests.postgres.embedded.users import answer
from tests.processes import postmaster

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")


def test_server_runs_as_another_account(folder: Path) -> None:
    with running_postgres(folder, fsync=False):
        assert postmaster(folder).uids().effective != 0


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_server_runs_in_a_folder_that_only_root_may_enter(empty_folder: Path) -> None:
    empty_folder.parent.chmod(0o700)

    with running_postgres(empty_folder, fsync=False) as url:
        assert postmaster(empty_folder).uids().effective != 0
        assert answer(url, "SELECT 1") == 1
    assert empty_folder.parent.stat().st_mode & 0o777 == 0o700


def test_data_change_hands_when_the_account_changes(fragile_folder: Path) -> None:
    with running_postgres(fragile_folder, fsync=False):
        pass
    for path in [fragile_folder / "data", *(fragile_folder / "data").rglob("*")]:
        os.chown(path, 0, 0)

    with running_postgres(fragile_folder, fsync=False) as url:
        assert answer(url, "SELECT 1") == 1


def test_server_runs_as_the_owner_of_the_folder(empty_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    empty_folder.mkdir()
    os.chown(empty_folder, nobody.pw_uid, nobody.pw_gid)

    with running_postgres(empty_folder, fsync=False):
        assert postmaster(empty_folder).uids().effective == nobody.pw_uid
    assert (empty_folder / "data").stat().st_uid == nobody.pw_uid


def test_data_of_another_account_are_named(fragile_folder: Path) -> None:
    """Check as another account, because root may read everything."""
    nobody = pwd.getpwnam("nobody")
    data = DataFolder(fragile_folder)
    os.chown(data.path, 0, 0)

    os.seteuid(nobody.pw_uid)
    try:
        with pytest.raises(PostgresUnavailable, match="belongs to another account"):
            data.prepare(find_binaries(), privileges.Identity(None), fsync=False)
    finally:
        os.seteuid(0)


def test_machine_without_any_account_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "ACCOUNTS", ("no-such-account",))

    with pytest.raises(PostgresUnavailable, match="does not run as root"):
        privileges.find_identity(folder, find_binaries())


def test_folder_that_no_account_can_work_in_is_named(folder: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="may not enter"):
        privileges.find_identity(folder, Binaries(folder / "missing", 18))

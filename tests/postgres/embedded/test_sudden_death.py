"""Nothing is left behind when a user, the keeper or the server is killed."""

import signal
import sys
from pathlib import Path

import pytest

from postgres.embedded import server
from postgres.embedded.embedded import running_postgres
from postgres.embedded.locks import FileLock, is_held
from tests.postgres.embedded.users import User, UserStarter, address_of, answer, refuses
from tests.processes import keeper, kill, named, postmaster
from tests.waiting import until


def test_server_stops_when_its_only_user_is_killed(folder: Path, user: User) -> None:
    url = address_of(user)
    assert answer(url, "SELECT 1") == 1

    kill(user)

    until(lambda: not named(folder))
    assert refuses(url)


def test_user_killed_during_the_start_leaves_nothing(empty_folder: Path, start_user: UserStarter) -> None:
    user = start_user(empty_folder)
    until(lambda: named("postgres.embedded.keeper", empty_folder))

    kill(user)

    until(lambda: not named(empty_folder))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the server outlives its keeper until the next start")
def test_server_ends_with_its_keeper(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url:
        kill(keeper(folder))

        until(lambda: refuses(url))


def test_next_user_recovers_from_the_death_of_the_keeper(folder: Path, user: User) -> None:
    address_of(user)
    kill(keeper(folder))
    until(lambda: not is_held(folder / "keeper.lock"))

    with running_postgres(folder, fsync=False) as url:
        assert answer(url, "SELECT 1") == 1


def test_next_user_recovers_from_the_death_of_the_server(folder: Path, user: User) -> None:
    first = address_of(user)
    kill(postmaster(folder))
    until(lambda: not is_held(folder / "keeper.lock"))

    with running_postgres(folder, fsync=False) as url:
        assert url != first
        assert answer(url, "SELECT 1") == 1


def test_terminated_keeper_stops_the_server_first(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url:
        keeper(folder).send_signal(signal.SIGTERM)

        until(lambda: not named(folder))
        assert refuses(url)
    assert "database system is shut down" in (folder / "server.log").read_text()


def test_orphaned_server_is_stopped_before_a_new_one_starts(folder: Path) -> None:
    """Simulate a kernel that does not end the server with its keeper."""
    orphan = server.Server(folder, fsync=False)
    with FileLock(folder / "server.lock") as server_lock:
        assert server_lock.try_exclusive()
        url = orphan.start(server_lock)
    assert answer(url, "SELECT 1") == 1

    with running_postgres(folder, fsync=False) as new_url:
        assert orphan.process.wait() == 0
        assert answer(new_url, "SELECT 1") == 1

"""Users share one server, and nothing of it is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from postgres.embedded.embedded import running_postgres
from postgres.embedded.locks import is_held
from tests.postgres.embedded.users import User, UserStarter, address_of, answer, refuses
from tests.processes import kill, named, postmaster
from tests.waiting import until


def test_database_knows_the_letters_of_every_script(empty_folder: Path) -> None:
    with running_postgres(empty_folder, fsync=False) as url:
        assert answer(url, "SELECT current_database()") == "litevault"
        assert answer(url, "SELECT upper('éжω')") == "ÉЖΩ"
        assert answer(url, "SHOW server_encoding") == "UTF8"


def test_data_are_found_again(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")

    with running_postgres(folder, fsync=False) as url:
        assert answer(url, "SELECT number FROM kept") == 42


def test_server_is_gone_when_the_block_ends(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url:
        assert len(named(folder)) > 1

    assert not named(folder)
    assert refuses(url)


def test_password_keeps_out_other_accounts(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url:
        password = url.split(":")[2].partition("@")[0]

        assert refuses(url.replace(password, "guess"))
        assert refuses(url.replace(f":{password}", ""))
        assert (folder / "url").stat().st_mode & 0o077 == 0
        assert (folder / "password").stat().st_mode & 0o077 == 0


def test_server_log_contains_no_user_text(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url, psycopg.connect(url) as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                "CREATE TABLE strict (word text CHECK (word = '')); INSERT INTO strict VALUES ('my diary')"
            )
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 'my diary'")

    log = (folder / "server.log").read_text()
    assert "strict_word_check" in log
    assert "my diary" not in log


def test_interrupted_first_start_is_begun_anew(empty_folder: Path) -> None:
    unfinished = empty_folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    with running_postgres(empty_folder, fsync=False) as url:
        assert answer(url, "SELECT 1") == 1

    assert not unfinished.exists()


def test_server_stays_for_the_second_user_when_the_first_leaves(folder: Path, start_user: UserStarter) -> None:
    with running_postgres(folder, fsync=False) as url:
        other = start_user(folder)
        assert address_of(other) == url

    assert answer(url, "SELECT 1") == 1
    other.communicate()
    assert not named(folder)


def test_users_that_come_at_once_share_one_server(empty_folder: Path, start_user: UserStarter) -> None:
    users = [start_user(empty_folder) for _ in range(4)]

    addresses = {address_of(user) for user in users}

    assert len(addresses) == 1
    assert "@127.0.0.1:" in addresses.pop()
    for user in users:
        user.communicate()


def test_user_that_comes_while_the_server_stops_gets_a_new_one(
    folder: Path, user: User, start_user: UserStarter
) -> None:
    first = address_of(user)
    stopping = postmaster(folder)
    stopping.suspend()  # so that stopping takes as long as the test needs
    kill(user)
    until(lambda: is_held(folder / "users.lock"))
    newcomer = start_user(folder)

    stopping.resume()

    second = address_of(newcomer)
    assert second != first
    assert answer(second, "SELECT 1") == 1


def test_program_that_a_user_started_does_not_keep_the_server(folder: Path) -> None:
    with running_postgres(folder, fsync=False) as url:
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)

    assert program.poll() is None
    assert refuses(url)
    program.communicate(b"\n")


def test_server_has_a_session_of_its_own(folder: Path) -> None:
    with running_postgres(folder, fsync=False):
        sessions = {os.getsid(process.pid) for process in named(folder)}

    assert os.getsid(0) not in sessions

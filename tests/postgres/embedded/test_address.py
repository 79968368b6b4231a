"""Whether an address is that of the running embedded server."""

from pathlib import Path

from postgres.embedded.embedded import running_postgres, serves
from postgres.embedded.locks import is_held
from tests.postgres.embedded.users import User, address_of
from tests.processes import keeper, kill, postmaster
from tests.waiting import until


def test_address_is_valid_until_the_last_user_has_left(folder: Path, user: User) -> None:
    with running_postgres(folder, fsync=False) as url:
        assert address_of(user) == url
        assert serves(url, folder)
    assert serves(url, folder)

    user.communicate()

    assert not serves(url, folder)


def test_address_is_invalid_after_the_keeper_is_killed(folder: Path, user: User) -> None:
    url = address_of(user)

    kill(keeper(folder))

    until(lambda: not serves(url, folder))


def test_address_of_a_replaced_server_is_invalid(folder: Path, user: User) -> None:
    first = address_of(user)
    kill(postmaster(folder))
    until(lambda: not is_held(folder / "keeper.lock"))

    with running_postgres(folder, fsync=False) as second:
        assert serves(second, folder)
        assert not serves(first, folder)


def test_folder_without_a_server_has_no_address(empty_folder: Path) -> None:
    assert not serves("", empty_folder)
    assert not serves("postgresql://elsewhere/database", empty_folder)

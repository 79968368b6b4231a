"""Folders for embedded servers, and users in processes of their own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from postgres.embedded.embedded import PROJECT, running_postgres
from tests.embedded import throwaway_folder
from tests.postgres.embedded.users import User, UserStarter
from tests.processes import named
from tests.waiting import until

# A user that prints the address and stays until it is killed or its input ends.
USER = """
import sys
from pathlib import Path
from postgres.embedded.embedded import running_postgres
with running_postgres(Path(sys.argv[1]), fsync=False) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    """A folder with data, created once, because that takes longest."""
    with throwaway_folder() as place:
        with running_postgres(place / "postgres", fsync=False):
            pass
        yield place / "postgres"


@pytest.fixture
def folder(shared_folder: Path) -> Iterator[Path]:
    """A folder with data, which tests must not break."""
    yield shared_folder
    until(lambda: not named(shared_folder))


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    with throwaway_folder() as place:
        yield place / "postgres"
        until(lambda: not named(place))


@pytest.fixture
def fragile_folder(empty_folder: Path, shared_folder: Path) -> Path:
    """A folder with data, which a test may break."""
    shutil.copytree(shared_folder, empty_folder)
    return empty_folder


@pytest.fixture
def start_user() -> Iterator[UserStarter]:
    """Start users in processes of their own, and kill those that are left at the end."""
    with ExitStack() as stack:

        def start(folder: Path) -> User:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", USER, str(folder)],
                    cwd=PROJECT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def user(folder: Path, start_user: UserStarter) -> User:
    return start_user(folder)

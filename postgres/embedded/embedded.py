"""The users' side of the embedded server: join or start it, and leave it."""

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.keeper import READY
from postgres.embedded.locks import FileLock, is_held, within

PROJECT = Path(__file__).resolve().parents[2]
"""Where the keeper imports this package from: the checkout, or the folder of installed packages."""

# Longer than the keeper's own limits together, so that the keeper's error is shown.
START_SECONDS = 240
LEAVE_SECONDS = 3


@contextmanager
def running_postgres(folder: Path, *, fsync: bool = True) -> Iterator[str]:
    """Yield a DATABASE_URL that is valid until the block ends. Raises PostgresUnavailable.

    All users of a folder share one server. The last user waits until it has stopped.
    """
    with _open_lock(folder, "users.lock") as users:
        # A stopping keeper holds the lock exclusively.
        if not within(START_SECONDS, users.try_shared):
            raise PostgresUnavailable(f"The server in {folder} does not stop. See {folder}/server.log.")
        try:
            yield _address(folder, fsync=fsync)
        finally:
            _leave(users, folder)


def serves(url: str, folder: Path) -> bool:
    """Return whether this is the address of the running embedded server.

    A later server, started for another user, has another address.
    """
    try:
        return (folder / "url").read_text() == url and is_held(folder / "keeper.lock")
    except (FileNotFoundError, PermissionError):  # no server, or not ours
        return False


def _address(folder: Path, *, fsync: bool) -> str:
    url_file, keeper_lock = folder / "url", folder / "keeper.lock"
    with _open_lock(folder, "start.lock") as start:
        if not within(START_SECONDS, start.try_exclusive):
            raise PostgresUnavailable(f"Another process is still starting the server in {folder}.")
        # The process that started the keeper may have been killed before it was ready.
        if not within(START_SECONDS, lambda: url_file.exists() or not is_held(keeper_lock)):
            raise PostgresUnavailable(f"The server in {folder} is not becoming ready. See {folder}/server.log.")
        if not is_held(keeper_lock):
            url_file.unlink(missing_ok=True)
            _start_keeper(folder, fsync=fsync)
        return url_file.read_text()


def _start_keeper(folder: Path, *, fsync: bool) -> None:
    log = folder / "keeper.log"
    command = [sys.executable, "-m", "postgres.embedded.keeper", str(folder), "fsync" if fsync else "no-fsync"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=PROJECT
        ) as process,
    ):
        line = _first_line(process.stdout)
    if line != READY:
        raise PostgresUnavailable(line or f"PostgreSQL could not be started. The reason is in {log}.")


def _first_line(pipe: IO[bytes] | None) -> str:
    """Return the keeper's first line, or nothing if it ended or took too long."""
    if pipe is None or not select.select([pipe], [], [], START_SECONDS)[0]:
        return ""
    return pipe.readline().decode().strip()


def _leave(users: FileLock, folder: Path) -> None:
    """Release the lock. The last user waits until the server has stopped, so that no process is left behind."""

    def is_over() -> bool:
        if users.try_exclusive():  # the last user, and the keeper has not noticed yet or is gone
            users.release()
            return _has_ended(folder)
        return users.try_shared()  # there are other users; otherwise the keeper has the lock

    with suppress(FileNotFoundError):  # the folder was deleted meanwhile
        within(LEAVE_SECONDS, is_over)


def _has_ended(folder: Path) -> bool:
    """Return whether keeper and server have ended. A server whose keeper was killed takes a moment longer."""
    with FileLock(folder / "keeper.lock") as keeper_lock:
        # Held, because a new keeper would mistake our attempt at the server's lock for a running server.
        return keeper_lock.try_shared() and not is_held(folder / "server.lock")


def _open_lock(folder: Path, name: str) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / name)
    except OSError:
        raise PostgresUnavailable(
            f"{folder} cannot be written, and the embedded PostgreSQL keeps its data there. "
            "Change its permissions, or set DATABASE_URL."
        ) from None

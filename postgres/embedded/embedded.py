"""What a user of the embedded server does: join it, or have it started, and leave it."""

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
FOLDER = PROJECT / "var" / "postgres"

# Longer than the keeper's own limits together, so that its sentence is the one that is seen.
START_SECONDS = 240
LEAVE_SECONDS = 3


@contextmanager
def running_postgres(folder: Path = FOLDER, *, fsync: bool = True) -> Iterator[str]:
    """Yield a DATABASE_URL that is good until the block ends. Raises PostgresUnavailable.

    All users of a folder share one server. The last one to leave waits until it has stopped.
    """
    with _open_lock(folder, "users.lock") as users:
        # It cannot be shared while a keeper stops the last server.
        if not within(START_SECONDS, users.try_share):
            raise PostgresUnavailable(f"The server in {folder} does not come to its end. See {folder}/server.log.")
        try:
            yield _address(folder, fsync=fsync)
        finally:
            _leave(users, folder)


def serves(url: str, folder: Path = FOLDER) -> bool:
    """Tell whether this is the embedded server's address now, and its keeper is alive.

    A later server, which another user may have had started already, has another address.
    """
    try:
        return (folder / "url").read_text() == url and is_held(folder / "keeper.lock")
    except (FileNotFoundError, PermissionError):  # there is none, or it is not ours
        return False


def _address(folder: Path, *, fsync: bool) -> str:
    url_file, keeper_lock = folder / "url", folder / "keeper.lock"
    with _open_lock(folder, "start.lock") as start:
        if not within(START_SECONDS, start.try_own):
            raise PostgresUnavailable(f"Another process has not finished to start the server in {folder}.")
        # Whoever started a keeper may have been killed before it was ready.
        if not within(START_SECONDS, lambda: url_file.exists() or not is_held(keeper_lock)):
            raise PostgresUnavailable(f"The server in {folder} does not become ready. See {folder}/server.log.")
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
        answer = _first_line(process.stdout)
    if answer != READY:
        raise PostgresUnavailable(answer or f"PostgreSQL could not be started. The reason is in {log}.")


def _first_line(pipe: IO[bytes] | None) -> str:
    """What the keeper says, or nothing if it ended or took too long without a word."""
    if pipe is None or not select.select([pipe], [], [], START_SECONDS)[0]:
        return ""
    return pipe.readline().decode().strip()


def _leave(users: FileLock, folder: Path) -> None:
    """Let go. If nobody else uses the server, see it off, so that no process of ours is left behind."""

    def is_over() -> bool:
        if users.try_own():  # we are the last, and the keeper has not noticed yet or is gone
            users.release()
            return _has_ended(folder)
        return users.try_share()  # others use it; else the keeper owns the lock and is at work

    with suppress(FileNotFoundError):  # somebody has deleted the folder under us
        within(LEAVE_SECONDS, is_over)


def _has_ended(folder: Path) -> bool:
    """Tell whether nothing is left of keeper and server. A server whose keeper was killed takes a moment longer."""
    with FileLock(folder / "keeper.lock") as keeping:
        # Shared meanwhile, lest a new keeper takes our look at the server's lock for a server that still works.
        return keeping.try_share() and not is_held(folder / "server.lock")


def _open_lock(folder: Path, name: str) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / name)
    except OSError:
        raise PostgresUnavailable(
            f"{folder} cannot be written, and the embedded PostgreSQL keeps its data there. "
            "Give yourself that right, or set DATABASE_URL."
        ) from None

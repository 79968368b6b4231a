"""File locks, which the kernel releases when their holder ends in any way."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

POLL_SECONDS = 0.02


class FileLock:
    """An advisory lock on a file, which child processes do not inherit."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self.descriptor)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_held(path: Path) -> bool:
    """Return whether a process holds this lock exclusively."""
    with FileLock(path) as lock:
        return not lock.try_shared()


def within(seconds: float, attempt: Callable[[], bool]) -> bool:
    """Repeat an attempt until it succeeds or the time is over. Return whether it succeeded."""
    deadline = time.monotonic() + seconds
    while not attempt():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True

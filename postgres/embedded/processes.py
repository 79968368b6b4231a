"""Ends a child process when its parent ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1

# Loaded before any fork: between fork and exec a child must not load libraries.
libc = ctypes.CDLL(None, use_errno=True)


def check(result: int) -> None:  # pragma: no cover  # as below
    """Raise the error that the C library reported."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def dying_with_parent(sign: signal.Signals) -> Callable[[], None]:
    """Return a preexec_fn that makes the kernel send `sign` to the child when the caller's thread ends.

    Works on Linux only; elsewhere a child outlives a parent that is killed with SIGKILL.
    Call it after a change of user, which clears the setting.
    """
    parent = os.getpid()

    def bind() -> None:  # pragma: no cover  # nothing is measured between fork and exec
        if sys.platform == "linux":
            check(libc.prctl(PR_SET_PDEATHSIG, int(sign), 0, 0, 0))
            if os.getppid() != parent:  # it ended before prctl
                os._exit(1)

    return bind

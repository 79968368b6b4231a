"""Network namespaces without names, which end with the process that made them."""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.hosts import NoNamespaces

CLONE_NEWNET = 0x40000000


class Namespace:
    """One host's network. A thread enters it for a block; its sockets, threads and processes stay there.

    Python 3.11 has neither os.unshare() nor os.setns().
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "unshare"):
            raise NoNamespaces("this system has no network namespaces")
        before = _current()
        try:
            self._check(self._libc.unshare(CLONE_NEWNET), "unshare")
            self._descriptor = _current()
            self._check(self._libc.setns(before, CLONE_NEWNET), "setns")
        finally:
            os.close(before)

    @contextmanager
    def entered(self) -> Iterator[None]:
        before = _current()
        self._check(self._libc.setns(self._descriptor, CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            self._check(self._libc.setns(before, CLONE_NEWNET), "setns")
            os.close(before)

    def close(self) -> None:
        os.close(self._descriptor)

    def _check(self, result: int, call: str) -> None:
        if result != 0:
            raise NoNamespaces(f"{call}: {os.strerror(ctypes.get_errno())}")


def _current() -> int:
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)

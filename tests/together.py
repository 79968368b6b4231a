"""The same call from many threads at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from tests.waiting import PATIENCE_SECONDS

Answer = TypeVar("Answer")


def at_once(count: int, send: Callable[[int], Answer]) -> list[Answer]:
    """Call with each number below `count`, and return the answers in that order. Raise the first error."""
    start = threading.Barrier(count)

    def one(number: int) -> Answer:
        try:
            start.wait(PATIENCE_SECONDS)
            return send(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))

"""Waiting, with a limit."""

import time
from collections.abc import Callable


def wait(condition: Callable[[], object], *, seconds: float) -> bool:
    """Wait until it holds, but no longer; tell whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # between two looks, not instead of one
    return True

"""Waiting for something to hold, with a limit."""

import time
from collections.abc import Callable

# To end a test that hangs: on a busy machine a process may take long to start.
PATIENCE_SECONDS = 120.0


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    assert wait(condition, seconds=PATIENCE_SECONDS), "it did not happen in time"


def wait(condition: Callable[[], object], *, seconds: float) -> bool:
    """Wait until it holds, but no longer; tell whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # between two looks, not instead of one
    return True

"""Waiting for something to hold, while the event loop goes on."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until something in this process has happened."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)

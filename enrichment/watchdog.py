"""Notices that the event loop was blocked, which delays every item of the worker."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from enrichment import metrics

MAX_BLOCKED_SECONDS = 0.05
TICK_SECONDS = 0.05
LOG_SECONDS = 10.0
"""The shortest time between two log events. Each has the longest block since the one before."""
MAX_FRAMES = 30

logger = structlog.get_logger(__name__)


class Watchdog:
    """Measures how late its ticks are. While DEBUG is logged, a thread looks up which functions block the loop."""

    def __init__(self) -> None:
        self._ticked_at = time.monotonic()
        self._logged_at = 0.0
        self._longest = 0.0
        self._functions: list[str] = []

    async def run(self) -> None:
        """Watch the running loop until cancelled."""
        with self._looking_up_functions():
            clock = asyncio.get_running_loop().time
            while True:
                due_at = clock() + TICK_SECONDS
                self._ticked_at = time.monotonic()
                await asyncio.sleep(TICK_SECONDS)
                seconds = clock() - due_at
                if seconds > MAX_BLOCKED_SECONDS:
                    self._record(seconds, clock())

    def _record(self, seconds: float, now: float) -> None:
        metrics.loop_blocked.inc()
        self._longest = max(self._longest, seconds)
        if now - self._logged_at >= LOG_SECONDS:
            debug = {"functions": self._functions} if self._functions else {}
            logger.warning("loop.blocked", seconds=round(self._longest, 3), **debug)
            self._logged_at, self._longest = now, 0.0
        self._functions = []

    @contextmanager
    def _looking_up_functions(self) -> Iterator[None]:
        if not logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            yield
            return
        stopping = threading.Event()
        arguments = (threading.get_ident(), stopping)
        thread = threading.Thread(target=self._look_up, args=arguments, name="litevault-watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()

    def _look_up(self, thread_id: int, stopping: threading.Event) -> None:
        while not stopping.wait(TICK_SECONDS / 2):
            if time.monotonic() - self._ticked_at > TICK_SECONDS + MAX_BLOCKED_SECONDS:
                self._functions = functions_of(sys._current_frames().get(thread_id))  # noqa: SLF001  # documented


def functions_of(frame: FrameType | None) -> list[str]:
    """Return the names of the functions, innermost first, without any values."""
    names: list[str] = []
    while frame is not None and len(names) < MAX_FRAMES:
        names.append(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return names

"""Several listeners under one parent: started together, replaced when they die, stopped by one signal.

One process of Python uses one core, and the model libraries fill it at some 200 calls a second: beyond that only
more processes help. They share nothing but the queue; the parent neither listens nor claims.
"""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import structlog

from postgres.backoff import doubled_seconds

logger = structlog.get_logger(__name__)

EXIT_HARD = 70
EXIT_MISCONFIGURED = 78

LAST_SIGNAL = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
# Whoever worked this long did not die of how it was started.
HEALTHY_AFTER_SECONDS = 60.0

# How a child ends that is told to stop before it can do so in good order: nothing of it was in flight yet.
STOPPED_WHILE_STARTING = {-signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGINT}


def own_command() -> list[str]:
    """The command line that started this process, with all of its options."""
    return [sys.executable, *sys.orig_argv[1:]]


class ListenerProcesses:
    """Keeps one child for each of the `commands` running until told to stop.

    A child that ends is started again after a pause, which doubles while it keeps on dying young. With
    `exits_when_idle` a child may end, and none is replaced.

    Each child's standard input is a pipe from here that nothing is ever written to. It ends with this process,
    also when that is killed, and so the children do (`--stop-with-stdin`).
    """

    def __init__(self, commands: Sequence[Sequence[str]], *, exits_when_idle: bool) -> None:
        self._commands = commands
        self._exits_when_idle = exits_when_idle
        self._running: set[Process] = set()
        self._signals: list[signal.Signals] = []
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Return the exit code: 0 if all ended in good order, else that of the first that did not."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._pass_on, sign)
        codes = await asyncio.gather(*(self._keep(number) for number in range(1, len(self._commands) + 1)))
        if len(self._signals) >= LAST_SIGNAL and any(codes):
            return EXIT_HARD
        return next((code for code in codes if code), 0)

    def _pass_on(self, sign: signal.Signals) -> None:
        """First drain, then release; the third time a child is not asked any more."""
        self._signals.append(sign)
        self._stopping.set()
        for child in self._running:
            self._tell(child, sign)

    def _tell(self, child: Process, sign: signal.Signals) -> None:
        if child.returncode is None:
            child.send_signal(sign if len(self._signals) < LAST_SIGNAL else signal.SIGKILL)

    async def _keep(self, number: int) -> int:
        early_ends = 0
        while True:
            started_at = time.monotonic()
            code = await self._run_child(number)
            if self._stopping.is_set() or self._exits_when_idle:
                return self._judged(code)
            if code == EXIT_MISCONFIGURED:
                self._stop_the_others()
                return code
            early_ends = 1 if time.monotonic() - started_at > HEALTHY_AFTER_SECONDS else early_ends + 1
            pause = doubled_seconds(
                early_ends, first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS
            )
            logger.warning("process.ended", number=number, exit_code=as_shell(code), again_in_seconds=pause)
            if await self._is_stopped_within(pause):
                return 0

    async def _run_child(self, number: int) -> int:
        # In a group of its own, so that Ctrl-C reaches it once, through us, and not twice.
        child = await asyncio.create_subprocess_exec(*self._commands[number - 1], stdin=PIPE, process_group=0)
        self._running.add(child)
        logger.info("process.started", number=number, pid=child.pid)
        if self._signals:  # they came while it was being started
            self._tell(child, self._signals[-1])
        try:
            return await child.wait()
        finally:
            self._running.discard(child)

    def _judged(self, code: int) -> int:
        is_stopped = self._stopping.is_set() and code in STOPPED_WHILE_STARTING
        return 0 if is_stopped else as_shell(code)

    def _stop_the_others(self) -> None:
        """What one child cannot work with, none can."""
        if not self._stopping.is_set():
            self._pass_on(signal.SIGTERM)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


def as_shell(code: int) -> int:
    """A program that a signal ended has 128 and the signal's number."""
    return code if code >= 0 else 128 - code

"""Several programs run as one: they start together, stop together, and are restarted where asked."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from types import FrameType
from typing import IO, Self

import structlog

from postgres.backoff import Backoff

logger = structlog.get_logger(__name__)

# nohup ignores SIGHUP on behalf of its command.
IS_NOHUP = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *(() if IS_NOHUP else (signal.SIGHUP,)))

# Each with the seconds to wait after it. A listener drains at the first SIGTERM and releases its items at the second.
STOP_STEPS = ((signal.SIGTERM, 2.5), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.5))
POLL_SECONDS = 0.05

BACKOFF = Backoff(first_seconds=1.0, longest_seconds=60.0)
# A child that ran this long did not fail because of how it was started.
HEALTHY_AFTER_SECONDS = 60.0

LAST_SIGNAL = 3
EXIT_HARD = 70
EXIT_MISCONFIGURED = 78
# A child that has no signal handlers yet has nothing in flight either.
STOPPED_WHILE_STARTING = {128 + sign for sign in STOP_SIGNALS}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command. With a colour of the ANSI palette, each line of its output is copied behind its name."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    colour: int | None = None
    preexec_fn: Callable[[], None] | None = None


class Child:
    """A program that runs in a process group of its own, so that Ctrl-C in a terminal reaches only its parent."""

    def __init__(self, program: Program, number: int) -> None:
        self.name = program.name
        self.number = number
        self._program = program
        self._failures = 0
        self._threads: list[threading.Thread] = []

    def start(self, stdin: int) -> None:
        is_copied = self._program.colour is not None
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(  # our own programs
            self._program.command,
            env=self._program.environment,
            stdin=stdin,
            stdout=subprocess.PIPE if is_copied else None,
            stderr=subprocess.STDOUT if is_copied else None,
            process_group=0,
            preexec_fn=self._program.preexec_fn,  # only for programs that start before any thread
        )

    def watch(self, on_end: Callable[["Child"], None]) -> None:
        """Copy the output, and call `on_end` from a thread when the program ends."""
        self._threads = [threading.Thread(target=self._wait, args=(on_end,), daemon=True)]
        if self.process.stdout:
            self._threads.append(threading.Thread(target=self._copy, args=(self.process.stdout,), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def exit_code(self) -> int:
        """As a shell reports it: 128 plus the number of the signal that ended the program."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def pause_seconds(self) -> float:
        """Return the pause before the next start. It doubles while the program keeps failing soon."""
        was_healthy = time.monotonic() - self._started_at > HEALTHY_AFTER_SECONDS
        self._failures = 1 if was_healthy else self._failures + 1
        return BACKOFF.seconds(self._failures)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=0.5)

    def _wait(self, on_end: Callable[["Child"], None]) -> None:
        self.process.wait()
        with suppress(ProcessLookupError, PermissionError):  # usually nothing is left of its group
            os.killpg(self.process.pid, signal.SIGKILL)
        on_end(self)

    def _copy(self, output: IO[bytes]) -> None:
        prefix = f"{self.name:<8} │ "
        if sys.stdout.isatty():
            prefix = f"\033[{self._program.colour}m{prefix}\033[0m"
        with output:
            for line in output:
                # Even if standard output is closed, the pipe must not fill up.
                with suppress(OSError):
                    sys.stdout.write(prefix + line.decode(errors="replace"))
                    sys.stdout.flush()


Event = Child | signal.Signals
"""A child that has ended, or a request to stop."""


class Supervisor:
    """Starts all programs on entry and stops all of them on exit.

    The children share a pipe as standard input. Nothing is written to it; it ends with this process, even when that
    is killed.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.children: list[Child] = []
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()  # the only queue that signal handlers may use

    def __enter__(self) -> Self:
        self._stdin, self._stdin_writer = os.pipe()
        self._former_handlers = {sign: signal.signal(sign, self._on_signal) for sign in STOP_SIGNALS}
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for sign, seconds in STOP_STEPS:
            running = [child.process for child in self.children if child.process.poll() is None]
            for process in running:
                process.send_signal(sign)
            deadline = time.monotonic() + seconds
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        for child in self.children:
            child.join()
        for sign, handler in self._former_handlers.items():
            signal.signal(sign, handler)
        os.close(self._stdin)
        os.close(self._stdin_writer)

    def first_event(
        self, *, or_when: Callable[[], bool] = lambda: False, within: float = inf, every: float = POLL_SECONDS
    ) -> Event | None:
        """Wait for a signal, for the end of a child or, checked `every` so many seconds, for a condition.

        Return None if the condition holds. Raise TimeoutError if nothing happens `within` so many seconds.
        """
        deadline = time.monotonic() + within
        while not or_when():
            if event := self._next_event(every):
                return event
            if time.monotonic() > deadline:
                raise TimeoutError
        return None

    def keep_running(self, *, exits_when_idle: bool = False) -> int:
        """Restart each child that ends until a signal arrives. Return the exit code once all have ended.

        The first two signals are passed on, the third kills. With `exits_when_idle`, no child is restarted. The exit
        code is 0 if all children ended in good order, else that of the first one that did not.
        """
        signals = 0
        running, ended = list(self.children), list[Child]()
        restart_at: dict[Child, float] = {}
        for child in running:
            logger.info("process.started", number=child.number, pid=child.process.pid)
        while running or restart_at:
            event = self._next_event(min(restart_at.values()) - time.monotonic() if restart_at else None)
            if event is None:
                child = min(restart_at, key=restart_at.__getitem__)
                del restart_at[child]
                child.start(self._stdin)
                child.watch(self._events.put)
                running.append(child)
                logger.info("process.started", number=child.number, pid=child.process.pid)
            elif isinstance(event, signal.Signals):
                signals += 1
                restart_at.clear()
                for child in running:
                    child.process.send_signal(event if signals < LAST_SIGNAL else signal.SIGKILL)
            else:
                running.remove(event)
                code = event.exit_code
                if code == EXIT_MISCONFIGURED and not (signals or exits_when_idle):
                    exits_when_idle = True
                    self._events.put(signal.SIGTERM)  # no other child can work either
                if signals or exits_when_idle:
                    ended.append(event)
                else:
                    pause = event.pause_seconds()
                    restart_at[event] = time.monotonic() + pause
                    logger.warning("process.ended", number=event.number, exit_code=code, again_in_seconds=pause)
        good = {0, *STOPPED_WHILE_STARTING} if signals else {0}
        code = next((child.exit_code for child in ended if child.exit_code not in good), 0)
        return EXIT_HARD if code and signals >= LAST_SIGNAL else code

    def _start(self) -> None:
        try:
            for number, program in enumerate(self.programs, start=1):
                child = Child(program, number)
                child.start(self._stdin)
                self.children.append(child)
        finally:  # after the last fork, because a fork next to threads is unsafe
            for child in self.children:
                child.watch(self._events.put)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(signal.Signals(number))

    def _next_event(self, seconds: float | None) -> Event | None:
        """Return the next event, or None if there is none within so many seconds."""
        try:
            return self._events.get(timeout=None if seconds is None else max(seconds, 0))
        except queue.Empty:
            return None

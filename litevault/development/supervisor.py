"""Several programs run as one: they start together, write to one terminal and end together."""

import math
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
from types import FrameType
from typing import IO, Self, cast, overload

from postgres.embedded.processes import dying_with_parent

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Ask, ask again (to the listener this means: release at once), force. Seconds to wait after each.
STOP_STEPS = ((signal.SIGTERM, 2.5), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.5))

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    colour: int  # of the ANSI palette


class Child:
    """A program that runs, in a process group of its own, so that its own children end with it."""

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self.prefix = _prefix(program)
        self.process = subprocess.Popen(
            program.command,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )

    @property
    def exit_code(self) -> int:
        """As a shell reports it: a program that a signal ended has 128 and the signal's number."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def copy_output(self) -> None:
        """Write what it says to our standard output, each line behind its name."""
        with cast(IO[bytes], self.process.stdout) as output:
            for line in output:
                # When nobody reads us any more, still keep its pipe from filling up.
                with suppress(OSError):
                    sys.stdout.write(self.prefix + line.decode(errors="replace"))
                    sys.stdout.flush()

    def end_group(self) -> None:
        """Kill what it may have left behind."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # nothing was left


# What a supervisor waits for: the end of a child, or a request to stop.
Event = Child | signal.Signals


class Supervisor:
    """Start all programs on entry, stop all of them on exit, whatever happened in between."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.children: list[Child] = []
        self.threads: list[threading.Thread] = []
        # A SimpleQueue, because only that may be used in a signal handler.
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self.former_handlers = {sign: signal.signal(sign, self._on_signal) for sign in STOP_SIGNALS}
        try:
            # All before the first thread: a fork next to threads is unsafe.
            self.children.extend(Child(program) for program in self.programs)
            for child in self.children:
                self._in_thread(child.copy_output)
                self._in_thread(self._report_end, child)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        for sign, handler in self.former_handlers.items():
            signal.signal(sign, handler)

    @overload
    def first_event(self) -> Event: ...

    @overload
    def first_event(self, *, or_when: Callable[[], bool], within: float = ..., every: float = ...) -> Event | None: ...

    def first_event(
        self, *, or_when: Callable[[], bool] | None = None, within: float = math.inf, every: float = POLL_SECONDS
    ) -> Event | None:
        """Wait for the first signal or for the first child that ends.

        Returns None once `or_when` holds, if that comes first; it is asked `every` so many seconds. Raises
        TimeoutError when nothing of all that happens `within` so many seconds.
        """
        if or_when is None:
            return self.events.get()
        deadline = time.monotonic() + within
        while not or_when():
            try:
                return self.events.get(timeout=every)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
        return None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.events.put(signal.Signals(number))

    def _report_end(self, child: Child) -> None:
        child.process.wait()
        self.events.put(child)

    def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def _stop(self) -> None:
        for sign, seconds in STOP_STEPS:
            running = [child for child in self.children if child.process.poll() is None]
            for child in running:
                child.process.send_signal(sign)
            deadline = time.monotonic() + seconds
            while any(child.process.poll() is None for child in running) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        for child in self.children:
            child.end_group()
        for thread in self.threads:
            thread.join(timeout=0.5)


def _prefix(program: Program) -> str:
    name = f"{program.name:<8} │ "
    return f"\033[{program.colour}m{name}\033[0m" if sys.stdout.isatty() else name

"""A worker's process, and what it starts when."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TextIO

import psutil  # type: ignore[import-untyped]  # it carries no types
import psycopg

from benchmarks.contenders.base import Contender
from benchmarks.scratch import PROJECT
from postgres.embedded.processes import dying_with_parent

PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.01
LOG = PROJECT / "var" / "bench-workers.log"

_numbers = count()


def fresh_keys(number: int) -> list[str]:
    """Keys that no other piece of work has."""
    return [f"k{next(_numbers)}" for _ in range(number)]


def open_log() -> TextIO:
    """Where the processes that are measured complain."""
    LOG.parent.mkdir(exist_ok=True)
    return LOG.open("a")


class Worker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.started_at: dict[str, float] = {}
        self.repeated = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until_started(self, keys: Collection[str], *, seconds: float = PATIENCE_SECONDS) -> None:
        until(lambda: self.process.poll() is not None or all(key in self.started_at for key in keys), seconds=seconds)
        assert self.process.poll() is None, f"The worker has ended by itself: see {LOG}."

    def until_done(self, contender: Contender, url: str, *, most_seconds: float) -> bool:
        """Wait until all is written, and say whether that came to pass: a slow contender is not waited for."""
        deadline = time.monotonic() + most_seconds
        with psycopg.connect(url, autocommit=True) as connected:
            while not (done := contender.is_done(connected)) and time.monotonic() < deadline:
                assert self.process.poll() is None, f"The worker has ended by itself: see {LOG}."
                time.sleep(POLL_SECONDS)
        return done

    def processor_seconds(self) -> float:
        """What it has used so far, which a busy machine does not change."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.startswith("k"):
                    key, moment = line.split()
                    self.repeated += key in self.started_at
                    self.started_at[key] = float(moment)


@contextmanager
def working(contender: Contender, *, concurrency: int, seconds: float = 0) -> Iterator[Worker]:
    """Have the contender's worker run during the block."""
    command = [sys.executable, "-m", "benchmarks.worker", contender.name]
    with open_log() as log:
        process = subprocess.Popen(
            [*command, "--concurrency", str(concurrency), "--seconds", str(seconds)],
            cwd=PROJECT,
            env=os.environ | contender.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )
    worker = Worker(process)
    try:
        yield worker
    finally:
        worker.stop()


def warm_up(contender: Contender, worker: Worker, url: str) -> None:
    """The first pieces of work pay for plans and caches, and show that the worker listens."""
    with contender.capturing(url) as capturer:
        for key in fresh_keys(20):
            _ring_until_heard(worker, lambda key=key: capturer.one(key), key)  # type: ignore[misc]  # bound now
    until_done(contender, url)
    worker.repeated = 0


def _ring_until_heard(worker: Worker, ring: Callable[[], None], key: str) -> None:
    """A bare doorbell that nobody hears yet is lost."""
    while key not in worker.started_at:
        ring()
        deadline = time.monotonic() + 2
        while key not in worker.started_at and time.monotonic() < deadline:
            assert worker.process.poll() is None, f"The worker has ended by itself: see {LOG}."
            time.sleep(POLL_SECONDS)


def until_done(contender: Contender, url: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """On one connection, because making one at each look would cost more than what is looked at."""
    with psycopg.connect(url, autocommit=True) as connected:
        until(lambda: contender.is_done(connected), seconds=seconds)


def until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(POLL_SECONDS)

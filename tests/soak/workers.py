"""The workers of the soak: real processes, and how each was ended."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.soak.server import PROJECT, environment

LEASE_SECONDS = 2.0
SWEEP_SECONDS = 1.0
GRACE_SECONDS = 2.0
CONCURRENCY = 4
# What the command needs to stop: its grace, then time to write, release and close.
STOP_SECONDS = GRACE_SECONDS + 20
LONGEST_CALL_SECONDS = 1.5
TOLD_TO_STOP = "told to stop"


@dataclass
class Worker:
    """One process. `ending` says how it was ended, and is empty until then."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    goes_through_proxy: bool
    ending: str = ""
    is_frozen: bool = False

    def send(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)

    @property
    def has_listened(self) -> bool:
        """Wait until its signal handlers are installed."""
        return self.has_said("listener.connected")

    def has_said(self, event: str) -> bool:
        return event in self.log.read_text()

    @property
    def is_there(self) -> bool:
        return self.process.poll() is None


class Workers:
    """Keeps a number of workers running. Those that the soak ends are replaced; any other end is a violation."""

    def __init__(self, *, url: str, url_through_proxy: str, logs: Path) -> None:
        self._urls = {False: url, True: url_through_proxy}
        self._logs = logs
        self.all: list[Worker] = []
        self.problems: list[str] = []

    def start(self, *, goes_through_proxy: bool) -> Worker:
        name = f"worker-{len(self.all)}"
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = launch(name, self._urls[goes_through_proxy], output)
        worker = Worker(name, process, log, goes_through_proxy)
        self.all.append(worker)
        return worker

    def at_work(self) -> list[Worker]:
        return [worker for worker in self.all if not worker.ending and not worker.is_frozen]

    def freeze(self, worker: Worker) -> None:
        worker.send(signal.SIGSTOP)
        worker.is_frozen = True

    def thaw(self, worker: Worker) -> None:
        worker.send(signal.SIGCONT)
        worker.is_frozen = False

    def kill(self, worker: Worker) -> None:
        worker.ending = "killed"
        worker.process.kill()
        worker.process.wait()

    def tell_to_stop(self, worker: Worker, *, times: int) -> None:
        """Send SIGTERM, twice to stop at once."""
        worker.ending = TOLD_TO_STOP
        for _ in range(times):
            worker.send(signal.SIGTERM)

    def told_to_stop(self) -> list[Worker]:
        return [worker for worker in self.all if worker.ending == TOLD_TO_STOP]

    def look(self) -> None:
        """Record workers that ended by themselves."""
        for worker in self.all:
            if not worker.ending and not worker.is_there:
                worker.ending = "by itself"
                self.problems.append(f"{worker.name} ended by itself with exit code {worker.process.returncode}")

    def see_off(self, worker: Worker) -> None:
        """Wait for a worker that was stopped, and check that it ended in time and with exit code 0."""
        try:
            code = worker.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.problems.append(f"{worker.name} did not stop within {STOP_SECONDS:.0f} s of SIGTERM")
            worker.process.kill()
            return
        # The second signal may arrive after the handlers are removed.
        is_late_signal = code == -signal.SIGTERM and worker.has_said("worker.stopped")
        if code != 0 and not is_late_signal:
            self.problems.append(f"{worker.name} was told to stop, and ended with exit code {code}")

    def kill_all(self) -> None:
        for worker in self.all:
            if worker.is_there:
                worker.send(signal.SIGCONT)
                worker.process.kill()
                worker.process.wait()


def launch(name: str, url: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.soak.moody_listener", str(LONGEST_CALL_SECONDS)]
    settings = environment(
        DATABASE_URL=url,
        LITEVAULT_ENRICH_LEASE_SECONDS=str(LEASE_SECONDS),
        LITEVAULT_ENRICH_SWEEP_SECONDS=str(SWEEP_SECONDS),
        LITEVAULT_ENRICH_GRACE_SECONDS=str(GRACE_SECONDS),
        LITEVAULT_ENRICH_MAX_ATTEMPTS="100",
        LITEVAULT_LOG_FORMAT="json",
    )
    return subprocess.Popen(
        [*command, "--worker-id", name, "--concurrency", str(CONCURRENCY)],
        cwd=PROJECT,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

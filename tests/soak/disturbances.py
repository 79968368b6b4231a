"""Disturbances of the workers, the server and the network between them, and when each ended."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from items.queue import LISTENER_NAME
from tests.faults.proxy import Proxy
from tests.soak.plan import Step
from tests.soak.server import OwnServer
from tests.soak.workers import LEASE_SECONDS, SWEEP_SECONDS, Worker, Workers

# How long after its end a disturbance may still explain a wait.
AFTERMATH_SECONDS = LEASE_SECONDS + 2 * SWEEP_SECONDS + 1
CALM_SECONDS = 15.0
TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Span:
    name: str
    begins: float
    ends: float


@dataclass
class Pending:
    """The end of a disturbance, and its time."""

    due_at: float
    undo: Callable[[], object]


@dataclass
class Disturbances:
    server: OwnServer
    workers: Workers
    proxy: Proxy
    spans: list[Span] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _pending: list[Pending] = field(default_factory=list)
    _calm_until: float = 0.0
    _is_absent: bool = False

    def do(self, step: Step) -> None:
        """Disturb, unless one is active or the server is away: one at a time keeps the effects apart."""
        if time.time() < self._calm_until or self._is_absent:
            return
        begins = time.time()
        act: Callable[[Step], float | None] = getattr(self, step.name)
        lasts = act(step)
        if lasts is not None:
            self.counts[step.name] += 1
            self.spans.append(Span(step.name, begins, time.time() + lasts + AFTERMATH_SECONDS))

    def undo_what_is_due(self) -> None:
        now = time.time()
        due, self._pending = (
            [pending for pending in self._pending if pending.due_at <= now],
            [pending for pending in self._pending if pending.due_at > now],
        )
        for pending in due:
            pending.undo()

    def end(self) -> None:
        """End all disturbances, so that everything can work."""
        while self._pending:
            for pending in self._pending:
                pending.due_at = 0
            self.undo_what_is_due()

    # Each of these returns its duration in seconds, or None if there was nothing to disturb.

    def calm(self, step: Step) -> float | None:
        """Do nothing for a while, so that there are waits that no disturbance explains."""
        self._calm_until = time.time() + CALM_SECONDS
        return None

    def kill_worker(self, step: Step) -> float | None:
        if (worker := self._victim(step)) is None:
            return None
        self.workers.kill(worker)
        self._replace(worker, step)
        return 0

    def freeze_worker(self, step: Step) -> float | None:
        """Freeze a worker for up to three leases."""
        if (worker := self._victim(step)) is None:
            return None
        self.workers.freeze(worker)
        self._later(step.seconds, lambda: self.workers.thaw(worker))
        return step.seconds

    def stop_worker(self, step: Step) -> float | None:
        if (worker := self._victim(step)) is None:
            return None
        self.workers.tell_to_stop(worker, times=1 + step.number % 2)
        self._replace(worker, step)
        return 0

    def end_listen_connections(self, step: Step) -> float | None:
        return self._terminate(f"AND starts_with(application_name, '{LISTENER_NAME}')")

    def end_all_connections(self, step: Step) -> float | None:
        return self._terminate("")

    def restart_fast(self, step: Step) -> float | None:
        self.server.restart("fast")
        return 0

    def restart_immediately(self, step: Step) -> float | None:
        self.server.restart("immediate")
        return 0

    def restart_after_kill(self, step: Step) -> float | None:
        self.server.restart("killed")
        return 0

    def absence(self, step: Step) -> float | None:
        self.server.stop("fast" if step.number % 2 else "immediate")
        self._is_absent = True
        self._later(step.seconds, self._return)
        return step.seconds

    def silence(self, step: Step) -> float | None:
        self.proxy.fall_silent()
        self._later(step.seconds, self.proxy.heal)
        return step.seconds

    def cut(self, step: Step) -> float | None:
        self.proxy.cut()
        return 0

    def _return(self) -> None:
        self.server.start()
        self._is_absent = False

    def _terminate(self, condition: str) -> float | None:
        with suppress(psycopg.OperationalError):
            self.server.ask(TERMINATE + condition)
            return 0
        return None

    def _victim(self, step: Step) -> Worker | None:
        candidates = [worker for worker in self.workers.at_work() if worker.has_listened]
        return candidates[int(step.share * len(candidates))] if candidates else None

    def _replace(self, worker: Worker, step: Step) -> None:
        self._later(step.seconds / 3, lambda: self.workers.start(goes_through_proxy=worker.goes_through_proxy))

    def _later(self, seconds: float, undo: Callable[[], object]) -> None:
        self._pending.append(Pending(time.time() + seconds, undo))

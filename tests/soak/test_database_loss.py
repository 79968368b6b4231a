"""The long version of tests/faults/test_database_loss.py, with a server that stops."""

import time

import pytest

from tests.soak.queue import Queue, WorkerStarter
from tests.soak.server import STOPS, OwnServer
from tests.waiting import wait

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}
ITEMS, RESTARTS, PAUSE_SECONDS = 500, 25, 4.5


@pytest.mark.soak
def test_restarts_for_two_minutes_under_load_lose_nothing(
    server: OwnServer, queue: Queue, start_worker: WorkerStarter
) -> None:
    settings = {"LITEVAULT_ENRICH_LEASE_SECONDS": "3", "LITEVAULT_ENRICH_MAX_ATTEMPTS": "50", **FAR_SWEEP}
    workers = [start_worker(0.3, "--concurrency", "5", **settings) for _ in range(2)]

    for restart in range(RESTARTS):
        queue.capture(ITEMS // RESTARTS)
        server.restart(STOPS[restart % len(STOPS)])
        time.sleep(PAUSE_SECONDS)  # the pace of the restarts

    assert queue.becomes("READY_TO_CONFIRM", count=ITEMS, seconds=60)
    assert queue.wrong() == 0
    assert [worker.poll() for worker in workers] == [None, None]


@pytest.mark.parametrize(
    ("call_seconds", "absence_seconds", "lease_seconds"),
    [(0.7, 4.0, 2.0), pytest.param(2.0, 60.0, 45.0, marks=pytest.mark.soak)],
)
def test_answers_kept_past_the_lease_are_not_paid_for_twice(
    server: OwnServer,
    queue: Queue,
    start_worker: WorkerStarter,
    *,
    call_seconds: float,
    absence_seconds: float,
    lease_seconds: float,
) -> None:
    """While the database is away, no lease is renewed, and no item is taken over."""
    settings = {"LITEVAULT_ENRICH_LEASE_SECONDS": str(lease_seconds), **FAR_SWEEP}
    worker = start_worker(call_seconds, "--concurrency", "3", **settings)
    queue.capture(3)
    assert wait(lambda: queue.count("claimed_by IS NOT NULL") == 3, seconds=10)

    server.stop("fast")
    time.sleep(absence_seconds)  # the absence is under test
    server.start()

    assert queue.becomes("READY_TO_CONFIRM", count=3, seconds=30)
    assert queue.wrong() == 0
    assert queue.attempts("outcome <> 'SUCCEEDED'") == 0, "a paid-for answer was thrown away"
    assert wait(lambda: listeners(server) == 1, seconds=20)
    for count in range(4, 10):
        queue.capture(1)
        assert queue.becomes("READY_TO_CONFIRM", count=count, seconds=10), "somebody waited for the sweep"
    assert worker.poll() is None


def listeners(server: OwnServer) -> int:
    return int(
        server.ask("SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, 'litevault-listener')")
    )

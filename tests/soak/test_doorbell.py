"""The long version of tests/faults/test_doorbell.py."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles

import psutil  # type: ignore[import-untyped]  # it carries no types
import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import EnrichmentAttempt, Item
from items.queue import CHANNEL_ENRICHING
from items.states import Outcome, Status
from tests.database import database_url
from tests.plugins.commands import ListenerStarter
from tests.waiting import wait

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}
PAIRS = 3000
LATE_SECONDS = 0.25
BURST = 20_000
CONCURRENCY = 20
GROWTH_MIB = 24.0

Spans = list[tuple[float, float]]


@contextmanager
def control() -> Iterator[Spans]:
    """Send one NOTIFY after another by psycopg alone, and return when each was sent and received."""
    spans: Spans = []
    is_over = threading.Event()

    def ring_and_hear() -> None:
        with (
            psycopg.connect(database_url(), autocommit=True) as ringing,
            psycopg.connect(database_url(), autocommit=True) as hearing,
        ):
            hearing.execute("LISTEN soak_control")
            while not is_over.wait(0.003):
                sent_at = time.time()
                ringing.execute("NOTIFY soak_control")
                for _ in hearing.notifies(timeout=30, stop_after=1):
                    spans.append((sent_at, time.time()))

    thread = threading.Thread(target=ring_and_hear)
    thread.start()
    try:
        yield spans
    finally:
        is_over.set()
        thread.join()


def excess(begins: float, ends: float, *, spans: Spans) -> float:
    """Return the time beyond the slowest of the control during it."""
    meanwhile = (heard - sent for sent, heard in spans if sent <= ends and heard >= begins)
    return ends - begins - max(meanwhile, default=0)


def distribution(seconds: Sequence[float]) -> str:
    points = quantiles(seconds, n=1000)
    named = {"p50": points[499], "p90": points[899], "p99": points[989], "p99.9": points[998], "max": max(seconds)}
    return ", ".join(f"{name} {value * 1000:.1f} ms" for name, value in named.items())


def test_no_pickup_of_three_thousand_close_pairs_is_late(owner: User, start_listener: ListenerStarter) -> None:
    start_listener("--concurrency", "10", **FAR_SWEEP)

    with control() as spans, psycopg.connect(database_url(), autocommit=True) as client:
        for pair in range(PAIRS):
            for pause_ms in (pair % 29, pair % 16):
                time.sleep(pause_ms / 1000)  # the distance between two captures is under test
                client.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'A short text.')", [owner.pk])
        assert wait(lambda: not Item.objects.filter(status=Status.ENRICHING).exists(), seconds=90)

    attempts = EnrichmentAttempt.objects.values_list("item__created_at", "started_at")
    pickups = [(created_at.timestamp(), started_at.timestamp()) for created_at, started_at in attempts]
    late = [(begins, ends) for begins, ends in pickups if ends - begins > LATE_SECONDS]
    print(f"\npickup:  {distribution([ends - begins for begins, ends in pickups])}, {len(late)} late")
    print(f"control: {distribution([heard - sent for sent, heard in spans])}")
    assert len(pickups) == 2 * PAIRS
    assert [(begins, ends) for begins, ends in late if excess(begins, ends, spans=spans) > LATE_SECONDS] == []


def test_twenty_thousand_in_one_transaction_notify_once(owner: User, start_listener: ListenerStarter) -> None:
    process = start_listener("--concurrency", str(CONCURRENCY), **FAR_SWEEP)
    worker = psutil.Process(process.pid)
    memory_mib: list[float] = []

    def is_done() -> bool:
        done: int = Item.objects.filter(status=Status.READY_TO_CONFIRM).count()
        if done > BURST / 10:
            memory_mib.append(worker.memory_info().rss / 2**20)
        return done == BURST

    with psycopg.connect(database_url(), autocommit=True) as hearing:
        hearing.execute(f"LISTEN {CHANNEL_ENRICHING}")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO items (owner_id, raw_text) SELECT %s, 'Text number ' || n FROM generate_series(1, %s) n",
                [owner.pk, BURST],
            )
        assert wait(is_done, seconds=600)
        rings = list(hearing.notifies(timeout=0.5))

    growth = max(memory_mib) - memory_mib[0]
    print(f"\nat most {most_under_way()} calls at a time, {memory_mib[0]:.0f} MiB and {growth:+.1f} from a tenth on")
    assert len(rings) == 1
    assert EnrichmentAttempt.objects.filter(outcome=Outcome.SUCCEEDED).count() == BURST
    assert most_under_way() <= CONCURRENCY
    assert growth < GROWTH_MIB


def most_under_way() -> int:
    """Return the largest number of overlapping calls, from their history."""
    spans = EnrichmentAttempt.objects.values_list("started_at", "finished_at")
    # In the same microsecond, an end comes first.
    changes = sorted(itertools.chain.from_iterable([(begins, 1), (ends, -1)] for begins, ends in spans))
    return max(itertools.accumulate(change for _, change in changes))

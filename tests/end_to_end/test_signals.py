"""How a listener ends when it is told to once, twice or three times, and what it leaves behind."""

import signal
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Outcome, Status
from tests.database import database_url, reaches
from tests.faults.proxy import Proxy
from tests.plugins.commands import ListenerStarter, SlowListenerStarter, Started
from tests.plugins.proxies import through
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}
EXIT_HARD = 70


def clients() -> int:
    """Connections to this database that are not the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
        return int(count)


def tell(process: Started, sign: signal.Signals, *, until_it_says: str) -> None:
    process.send_signal(sign)
    until(lambda: until_it_says in process.log.read_text())


def capture_for(worker: str, owner: User) -> Item:
    """An item that this worker has in flight."""
    item = Item.objects.capture(owner=owner, raw_text="A text that takes long.")
    until(lambda: Item.objects.filter(pk=item.pk, claimed_by=worker).exists())
    return item


def test_no_connection_is_left_behind(owner: User, start_listener: ListenerStarter) -> None:
    until(lambda: clients() == 0)
    process = start_listener()
    reaches(Item.objects.capture(owner=owner, raw_text="A text."), Status.READY_TO_CONFIRM)
    assert clients() > 0

    process.terminate()

    assert process.wait(PATIENCE_SECONDS) == 0
    until(lambda: clients() == 0)


def test_what_is_released_is_taken_by_a_peer_at_once(owner: User, start_slow: SlowListenerStarter) -> None:
    first = start_slow(30, "--worker-id", "first", **FAR_SWEEP)
    item = capture_for("first", owner)
    start_slow(0.01, "--worker-id", "peer", **FAR_SWEEP)

    tell(first, signal.SIGTERM, until_it_says="worker.draining")
    told_at = time.monotonic()
    first.send_signal(signal.SIGTERM)
    reaches(item, Status.READY_TO_CONFIRM)

    print(f"done by a peer {(time.monotonic() - told_at) * 1000:.0f} ms after the second signal")  # noqa: T201  # a measurement
    assert first.wait(PATIENCE_SECONDS) == 0
    assert list(item.attempts.order_by("number").values_list("worker", "outcome")) == [
        ("first", Outcome.RELEASED),
        ("peer", Outcome.SUCCEEDED),
    ]


def test_third_signal_ends_a_process_that_waits_for_the_database(
    owner: User,
    start_slow: SlowListenerStarter,
    make_proxy: Callable[[], Proxy],
) -> None:
    proxy = make_proxy()
    process = start_slow(
        30,
        "--worker-id",
        "first",
        DATABASE_URL=through(proxy),
        LITEVAULT_LISTEN_DATABASE_URL=database_url(),
        LITEVAULT_ENRICH_GRACE_SECONDS="60",
        **FAR_SWEEP,
    )
    item = capture_for("first", owner)
    proxy.fall_silent()

    tell(process, signal.SIGTERM, until_it_says="worker.draining")
    tell(process, signal.SIGTERM, until_it_says="worker.releasing")
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == EXIT_HARD
    item.refresh_from_db()
    assert (item.status, item.claimed_by) == (Status.ENRICHING, "first"), "its lease has to run out"


def test_busy_process_ends_though_the_database_is_silent(
    owner: User,
    start_slow: SlowListenerStarter,
    make_proxy: Callable[[], Proxy],
) -> None:
    proxy = make_proxy()
    process = start_slow(
        2,
        "--worker-id",
        "first",
        DATABASE_URL=through(proxy),
        LITEVAULT_LISTEN_DATABASE_URL=database_url(),
        LITEVAULT_ENRICH_GRACE_SECONDS="0",
        **FAR_SWEEP,
    )
    reaches(Item.objects.capture(owner=owner, raw_text="So that each connection is open."), Status.READY_TO_CONFIRM)
    capture_for("first", owner)

    proxy.fall_silent()
    told_at = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    ended_after = time.monotonic() - told_at
    print(f"ended {ended_after:.1f} s after the grace period")  # noqa: T201  # a measurement
    assert ended_after < 45, "a claim, the last batch and a new connection are each given up in their time"

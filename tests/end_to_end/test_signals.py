"""How a listener ends after one, two or three signals, and what is left."""

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
    """Count the connections to this database other than the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
        return int(count)


def send(process: Started, sign: signal.Signals, *, until_logged: str) -> None:
    process.send_signal(sign)
    until(lambda: until_logged in process.log.read_text())


def capture_for(process: Started, owner: User) -> Item:
    """Return an item for which the only worker has begun a call."""
    before = process.calls()
    item = Item.objects.capture(owner=owner, raw_text="A text that takes long.")
    until(lambda: process.calls() > before)
    return item


def test_no_connection_is_left_behind(owner: User, start_listener: ListenerStarter) -> None:
    until(lambda: clients() == 0)
    process = start_listener()
    reaches(Item.objects.capture(owner=owner, raw_text="A text."), Status.READY_TO_CONFIRM)
    assert clients() > 0

    process.terminate()

    assert process.wait(PATIENCE_SECONDS) == 0
    until(lambda: clients() == 0)


def test_sighup_lets_the_call_in_flight_finish(owner: User, start_slow: SlowListenerStarter) -> None:
    process = start_slow(1, "--worker-id", "first", LITEVAULT_ENRICH_GRACE_SECONDS="60", **FAR_SWEEP)
    item = capture_for(process, owner)

    send(process, signal.SIGHUP, until_logged="worker.draining")

    assert process.wait(20) == 0
    assert list(item.attempts.values_list("outcome", flat=True)) == [Outcome.SUCCEEDED]


def test_released_item_is_taken_by_a_peer_at_once(owner: User, start_slow: SlowListenerStarter) -> None:
    first = start_slow(30, "--worker-id", "first", **FAR_SWEEP)
    item = capture_for(first, owner)
    start_slow(0.01, "--worker-id", "peer", **FAR_SWEEP)

    send(first, signal.SIGTERM, until_logged="worker.draining")
    first.send_signal(signal.SIGTERM)
    reaches(item, Status.READY_TO_CONFIRM)

    assert first.wait(PATIENCE_SECONDS) == 0
    assert list(item.attempts.order_by("number").values_list("worker", "outcome")) == [
        ("first", Outcome.RELEASED),
        ("peer", Outcome.SUCCEEDED),
    ]


def test_third_signal_does_not_wait_for_the_database(
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
    item = capture_for(process, owner)
    proxy.fall_silent()

    send(process, signal.SIGTERM, until_logged="worker.draining")
    send(process, signal.SIGTERM, until_logged="worker.releasing")
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == EXIT_HARD
    item.refresh_from_db()
    assert (item.status, item.claimed_by) == (Status.ENRICHING, "first"), "the item waits for the end of its lease"


def test_silent_database_does_not_delay_the_end(
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
    capture_for(process, owner)

    proxy.fall_silent()
    signalled_at = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert time.monotonic() - signalled_at < 45, "the claim, the last batch and the new connection each have a deadline"

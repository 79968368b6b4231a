"""Notifications: none is lost, a burst sends one, owners take turns, and a discard arrives at once."""

import threading
import time

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Max

from items.models import EnrichmentAttempt, Item
from items.queue import CHANNEL_ENRICHING
from items.states import Status
from tests.database import database_url, reaches
from tests.plugins.commands import ListenerStarter, SlowListenerStarter
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}


def test_no_wake_up_is_lost_between_captures_in_quick_succession(owner: User, start_listener: ListenerStarter) -> None:
    """Captures in pairs, 0 to 15 ms apart. After a lost notification, an item would wait a minute for the sweep."""
    start_listener(**FAR_SWEEP)
    pairs = 150

    with psycopg.connect(database_url(), autocommit=True) as client:
        for pair in range(pairs):
            for pause_ms in (0, pair % 16):
                time.sleep(pause_ms / 1000)  # the distance between two captures is what is tested
                client.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'A short text.')", [owner.pk])
    until(lambda: not Item.objects.filter(status=Status.ENRICHING).exists())

    waits = EnrichmentAttempt.objects.annotate(wait=F("started_at") - F("item__created_at"))
    longest = waits.aggregate(longest=Max("wait"))["longest"]
    assert Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 2 * pairs
    assert longest.total_seconds() < 30, "somebody waited for the sweep"


def test_burst_in_one_transaction_rings_once_and_is_done(owner: User, start_listener: ListenerStarter) -> None:
    start_listener(**FAR_SWEEP)

    with psycopg.connect(database_url(), autocommit=True) as hearing:
        hearing.execute(f"LISTEN {CHANNEL_ENRICHING}")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO items (owner_id, raw_text) SELECT %s, 'Text number ' || n FROM generate_series(1, 2000) n",
                [owner.pk],
            )
        until(lambda: Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 2000)
        rings = list(hearing.notifies(timeout=0.5))

    assert len(rings) == 1


def test_single_item_does_not_wait_for_another_owners_thousand(
    owner: User, stranger: User, start_slow: SlowListenerStarter
) -> None:
    Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {n}." for n in range(1000)])
    start_slow(0.3, **FAR_SWEEP)
    until(lambda: Item.objects.filter(status=Status.READY_TO_CONFIRM).count() >= 3)
    done_before = Item.objects.filter(status=Status.READY_TO_CONFIRM).count()

    reaches(Item.objects.capture(owner=stranger, raw_text="Only one."), Status.READY_TO_CONFIRM)

    done_meanwhile = Item.objects.filter(owner=owner, status=Status.READY_TO_CONFIRM).count() - done_before
    assert done_meanwhile <= 20, "a few rounds of three slots, not a thousand items"


CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
# To listen, to claim, to finish, all else, and this test's own.
MOST_CONNECTIONS = 5


def test_number_of_connections_does_not_grow_with_the_items(owner: User, start_listener: ListenerStarter) -> None:
    start_listener()
    reaches(Item.objects.capture(owner=owner, raw_text="The first."), Status.READY_TO_CONFIRM)
    seen: list[int] = []
    stop = threading.Event()

    def count(watcher: psycopg.Connection[tuple[int]]) -> int:
        ((number,),) = watcher.execute(CONNECTIONS).fetchall()
        return number

    def keep_counting() -> None:
        with psycopg.connect(database_url(), autocommit=True) as watcher:
            while not stop.is_set():
                seen.append(count(watcher))

    with psycopg.connect(database_url(), autocommit=True) as watcher:
        # Connections of processes that an earlier test killed may linger for a moment.
        until(lambda: count(watcher) <= MOST_CONNECTIONS)
    counting = threading.Thread(target=keep_counting)
    counting.start()
    Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {n}." for n in range(1000)])
    until(lambda: not Item.objects.filter(status=Status.ENRICHING).exists())
    stop.set()
    counting.join()

    assert max(seen) <= MOST_CONNECTIONS

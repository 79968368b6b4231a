"""PostgreSQL goes away under load, in several ways, and the worker goes on when it is back."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.queue import LISTENER_NAME
from items.states import Outcome, Status
from tests.database import database_url, listeners_alive, reaches
from tests.faults.proxy import Proxy
from tests.plugins.commands import ListenerStarter, SlowListenerStarter
from tests.plugins.proxies import through
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

SHORT_LEASE = {"LITEVAULT_ENRICH_LEASE_SECONDS": "3", "LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}


def terminate(condition: str) -> int:
    """Terminate the worker's backends that match, and return their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        )
        (count,) = cursor.fetchone()
        return int(count)


def done() -> int:
    count: int = Item.objects.filter(status=Status.READY_TO_CONFIRM).count()
    return count


def assert_one_success_each() -> None:
    for item in Item.objects.prefetch_related("attempts"):
        outcomes = [attempt.outcome for attempt in item.attempts.all()]
        assert outcomes.count(Outcome.SUCCEEDED) == 1, outcomes


def test_ended_listen_connection_is_back_before_the_next_sweep(owner: User, start_listener: ListenerStarter) -> None:
    process = start_listener(**SHORT_LEASE)

    for _ in range(3):
        # The connection has this name only once it listens.
        until(lambda: terminate(f"starts_with(application_name, '{LISTENER_NAME}')") == 1)
        until(lambda: listeners_alive() == 1)
        reaches(Item.objects.capture(owner=owner, raw_text="Heard again."), Status.READY_TO_CONFIRM)

    assert process.poll() is None


@pytest.mark.thorough
def test_ending_every_connection_repeatedly_loses_nothing(owner: User, start_slow: SlowListenerStarter) -> None:
    process = start_slow(0.05, "--concurrency", "10", **SHORT_LEASE)
    Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {n}." for n in range(500)])

    for share in range(1, 5):
        until(lambda share=share: done() >= share * 80)  # type: ignore[misc]
        terminate("true")
    until(lambda: done() == 500)

    assert_one_success_each()
    assert process.poll() is None


def test_results_wait_in_memory_while_the_database_is_away(
    owner: User, start_slow: SlowListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    process = start_slow(1, DATABASE_URL=through(proxy), LITEVAULT_LISTEN_DATABASE_URL=database_url())
    items = Item.objects.capture_many(owner=owner, raw_texts=["One.", "Two.", "Three."])
    until(lambda: process.calls() == 3)

    proxy.refuse()
    until(lambda: process.log.read_text().count("enrichment.succeeded") == 3)
    until(lambda: "verdicts.delayed" in process.log.read_text())
    assert done() == 0
    proxy.heal()

    for item in items:
        reaches(item, Status.READY_TO_CONFIRM)
    assert_one_success_each()
    assert not Item.objects.filter(attempts__outcome=Outcome.LOST).exists(), "a paid-for answer was thrown away"
    assert process.poll() is None

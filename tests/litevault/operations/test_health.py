"""healthz, readyz and metrics, with a real database."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from items.models import EnrichmentPause, Item
from items.queue import LISTENER_NAME
from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS, read
from items.states import Outcome, Status
from litevault.operations import health, metrics
from postgres import timeboxed
from postgres.timeboxed import DatabaseUnavailable, Shared, run_query
from tests.database import trigger_table
from tests.items.factories import make_attempt, make_item
from tests.waiting import PATIENCE_SECONDS, until

ALL_OK = {"database": "ok", "writable": "ok", "migrations": "ok", "triggers": "ok", "listener": "ok"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has a result of its own."""
    monkeypatch.setattr(timeboxed, "SHARED_SECONDS", 0)


@pytest.fixture
def listener(transactional_db: None) -> Iterator[None]:
    parameters = connection.get_connection_params()
    with psycopg.connect(dbname=parameters["dbname"], application_name=LISTENER_NAME, **address(parameters)):
        yield


@pytest.fixture
def sql_run_again(transactional_db: None) -> Iterator[None]:
    """Restore every trigger and function after the test."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(read("triggers.sql") + read("claim.sql") + read("audit.sql") + read("pauses.sql"))


def address(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in ("host", "port", "user", "password") if name in parameters}


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeboxed, "database_conninfo", lambda: "host=127.0.0.1 port=1")


def test_process_is_alive_without_a_database() -> None:
    response = Client().get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_all_is_ready(listener: None) -> None:
    response = Client().get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": ALL_OK})


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_a_listener() -> None:
    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "checks": {**ALL_OK, "listener": "failed"}}


@pytest.mark.parametrize("trigger", EXPECTED_TRIGGERS)
@pytest.mark.parametrize("change", ["DROP TRIGGER {} ON {}", "ALTER TABLE {1} DISABLE TRIGGER {0}"])
def test_not_ready_without_each_trigger(listener: None, sql_run_again: None, change: str, trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change.format(trigger, trigger_table(trigger)))

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"] == {**ALL_OK, "triggers": "failed"}


@pytest.mark.parametrize("function", EXPECTED_FUNCTIONS)
def test_not_ready_without_each_function(listener: None, sql_run_again: None, function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION {function} CASCADE")

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"] == {**ALL_OK, "triggers": "failed"}


def test_not_ready_while_a_migration_waits(listener: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrations", lambda: {("items", "9999_of_tomorrow")})

    response = Client().get("/readyz")

    assert response.json()["checks"] == {**ALL_OK, "migrations": "failed"}


def test_version_before_is_ready_with_a_newer_schema(listener: None) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("items", "9999_of_tomorrow")
    try:
        response = Client().get("/readyz")
    finally:
        recorder.record_unapplied("items", "9999_of_tomorrow")

    assert (response.status_code, response.json()["checks"]) == (200, ALL_OK)


def test_nothing_is_ready_without_a_database(nowhere: None) -> None:
    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "checks": dict.fromkeys(ALL_OK, "failed")}


def test_metrics_without_a_database_say_so(nowhere: None) -> None:
    assert metrics_of_the_queue() == {"litevault_database_writable": 0}


def test_pause_of_a_newer_version_breaks_no_page(listener: None) -> None:
    EnrichmentPause.objects.create(reason="UPGRADE", owner_id=0)

    told = metrics_of_the_queue()

    assert Client().get("/readyz").json() == {"status": "ok", "checks": ALL_OK}
    assert told["litevault_database_writable"] == 1
    assert not any("UPGRADE" in name for name in told)


@pytest.mark.django_db(transaction=True)
def test_crash_of_a_query_is_logged_without_its_message(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def crash(_connected: object) -> None:
        raise ValueError("canary")

    with pytest.raises(DatabaseUnavailable):
        run_query(crash)

    assert "canary" not in capfd.readouterr().err
    (record,) = caplog.records
    assert record.msg["event"] == "query.crashed"  # type: ignore[index]  # of structlog


@pytest.mark.django_db(transaction=True)
def test_hanging_query_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeboxed, "DEADLINE_SECONDS", 0.2)
    answered = threading.Event()
    started = time.monotonic()

    with pytest.raises(DatabaseUnavailable):
        run_query(lambda _connected: answered.wait(PATIENCE_SECONDS))

    assert time.monotonic() - started < PATIENCE_SECONDS / 2
    answered.set()


class Source:
    """What is fetched: the number of times. The first time takes until `go_on` is set."""

    def __init__(self) -> None:
        self.count = 0
        self.go_on = threading.Event()

    def fetch(self) -> int:
        self.count += 1
        self.go_on.wait(PATIENCE_SECONDS)
        return self.count


def test_all_who_ask_meanwhile_share_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeboxed, "FOLLOW_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(timeboxed, "SHARED_SECONDS", PATIENCE_SECONDS)
    source = Source()
    shared = Shared(source.fetch)

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(shared.get) for _ in range(8)]
        until(lambda: source.count)
        source.go_on.set()

    assert {result.result() for result in results} == {shared.get()} == {1}


def test_result_is_fetched_again_after_its_time() -> None:
    source = Source()
    source.go_on.set()
    shared = Shared(source.fetch)

    assert (shared.get(), shared.get()) == (1, 2)


def test_only_one_waits_for_a_silent_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeboxed, "FOLLOW_SECONDS", 0)
    source = Source()
    shared = Shared(source.fetch)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shared.get)
        until(lambda: source.count)
        with pytest.raises(DatabaseUnavailable):
            shared.get()
        source.go_on.set()

    assert first.result() == source.count == 1


def test_failure_is_shared_too(monkeypatch: pytest.MonkeyPatch, nowhere: None) -> None:
    monkeypatch.setattr(timeboxed, "SHARED_SECONDS", PATIENCE_SECONDS)
    queries: list[None] = []

    def fetch() -> None:
        queries.append(None)
        run_query(lambda _connected: None)

    shared = Shared(fetch)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            shared.get()

    assert len(queries) == 1


def test_hanging_queries_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeboxed, "CONCURRENT_QUERIES", threading.BoundedSemaphore(1))
    assert timeboxed.CONCURRENT_QUERIES.acquire()

    with pytest.raises(DatabaseUnavailable):
        run_query(lambda _connected: None)


def metrics_of_the_queue() -> dict[str, float]:
    page = metrics.page()
    assert page.content_type.startswith("text/plain")
    lines = [line.rpartition(" ") for line in page.body.decode().splitlines() if not line.startswith("#")]
    others = ("litevault_http_", "litevault_build_info")
    return {name: float(value) for name, _, value in lines if not name.startswith(others)}


@pytest.mark.django_db(transaction=True)
def test_metrics_tell_the_state_of_the_queue(owner: User, listener: None) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    waiting = make_item(owner, available_at=timezone.now() - timedelta(seconds=90))
    make_item(owner, claimed_by="worker", claimed_at=soon, available_at=soon)
    expired = timezone.now() - timedelta(seconds=10)
    make_item(owner, claimed_by="worker that died", claimed_at=expired, available_at=expired)
    make_item(owner, available_at=soon)
    for status in (Status.ARCHIVED, Status.ARCHIVED, Status.FAILED):
        make_item(owner, status=status)
    ended = timezone.now()
    began = ended - timedelta(seconds=3)
    make_attempt(waiting, number=1, outcome=Outcome.FAILED)
    make_attempt(
        waiting, number=2, started_at=began, finished_at=ended, prompt_tokens=900, completion_tokens=90, cost_usd="0.25"
    )
    make_attempt(waiting, number=3, finished_at=timezone.now() - timedelta(minutes=6))
    for owner_id, ends_at in ((5, soon), (6, soon), (7, expired)):
        EnrichmentPause.objects.create(reason="BUDGET", owner_id=owner_id, until=ends_at)

    told = metrics_of_the_queue()
    assert 90 <= told.pop("litevault_oldest_wait_seconds") < 120
    durations = {name: told.pop(name) for name in list(told) if "_duration_" in name and "SUCCEEDED" in name}
    assert {name: told.pop(name) for name in list(told) if "_duration_" in name}
    duration = "litevault_attempt_duration_recent_seconds"
    assert durations[duration + '_bucket{le="2.5",outcome="SUCCEEDED"}'] == 0
    assert durations[duration + '_bucket{le="5.0",outcome="SUCCEEDED"}'] == 1
    assert durations[duration + '_bucket{le="+Inf",outcome="SUCCEEDED"}'] == 1
    assert durations[duration + '_gsum{outcome="SUCCEEDED"}'] == 3
    assert told == {
        'litevault_items{status="ENRICHING"}': 4,
        'litevault_items{status="READY_TO_CONFIRM"}': 0,
        'litevault_items{status="FAILED"}': 1,
        'litevault_items{status="ARCHIVED"}': 2,
        'litevault_items{status="DISCARDED"}': 0,
        "litevault_database_writable": 1,
        "litevault_items_in_flight": 1,
        "litevault_listeners": 1,
        'litevault_enrichment_pauses{reason="BUDGET",scope="all"}': 0,
        'litevault_enrichment_pauses{reason="BUDGET",scope="owner"}': 2,
        'litevault_enrichment_pauses{reason="STAFF",scope="all"}': 0,
        'litevault_enrichment_pauses{reason="STAFF",scope="owner"}': 0,
        'litevault_attempts_recent{error_code="LLM_TIMEOUT",error_reason="TIMED_OUT",outcome="FAILED"}': 1,
        'litevault_attempts_recent{error_code="",error_reason="",outcome="SUCCEEDED"}': 1,
        'litevault_tokens_recent{direction="prompt"}': 900,
        'litevault_tokens_recent{direction="completion"}': 90,
        "litevault_cost_recent_usd": 0.25,
    }


@pytest.mark.django_db(transaction=True)
def test_metrics_of_an_empty_database(owner: User) -> None:
    told = metrics_of_the_queue()

    assert told.pop("litevault_database_writable") == 1
    assert set(told.values()) == {0}


@pytest.mark.django_db(transaction=True)
def test_large_table_is_estimated_where_counting_would_be_slow(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "COUNTED_UP_TO", 100)
    archived = [
        Item(owner=owner, raw_text="x", status=Status.ARCHIVED, confirmed_at=timezone.now()) for _ in range(300)
    ]
    Item.objects.bulk_create([*archived, *(Item(owner=owner, raw_text="x") for _ in range(100))])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items")
    make_item(owner, status=Status.FAILED)

    told = metrics_of_the_queue()

    assert told['litevault_items{status="ARCHIVED"}'] == 300
    assert told['litevault_items{status="ENRICHING"}'] == 100
    assert told['litevault_items{status="FAILED"}'] == 1

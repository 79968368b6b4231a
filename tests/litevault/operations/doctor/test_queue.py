"""Checks of the queue."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from items.models import EnrichmentPause
from items.pauses import ALL_OWNERS
from items.states import Outcome, Status
from litevault.operations.doctor import checks, queue
from tests.database import database_url
from tests.faults.pgbouncer import PROGRAM as PGBOUNCER
from tests.faults.pgbouncer import running_pgbouncer
from tests.items.factories import make_attempt, make_item
from tests.items.other_connection import other_connection
from tests.litevault.operations.doctor.command import run_doctor

pytestmark = pytest.mark.django_db(transaction=True)


def test_failures_of_the_last_hour_are_reported(listener_connection: object, stub: None, owner: User) -> None:
    make_attempt(make_item(owner, status=Status.FAILED), outcome=Outcome.FAILED)

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert "in the last hour: 1 LLM_TIMEOUT" in output


def test_budget_that_is_spent_is_reported(listener_connection: object, stub: None) -> None:
    EnrichmentPause.objects.create(reason="BUDGET", owner_id=ALL_OWNERS, until=datetime(2040, 6, 2, tzinfo=UTC))

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert "spent for all owners: their items wait until 2040-06-02 00:00 UTC" in output
    assert "LITEVAULT_LLM_DAILY_BUDGET_USD" in output


def test_replies_and_postponed_items_are_reported(owner: User) -> None:
    idle = queue.pace()
    item = make_item(owner)
    for number, model in enumerate(["openai/one"] * 10 + ["openai/two"] * 2, start=1):
        now = timezone.now()
        make_attempt(
            item,
            number=number,
            outcome=Outcome.SUCCEEDED,
            model=model,
            prompt_tokens=7,
            started_at=now,
            finished_at=now,
        )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET refund_count = 1, available_at = now() + interval '600 s'")

    busy = queue.pace()

    assert idle.detail == "no replies in the last 5 minutes"
    assert busy.is_ok
    assert re.fullmatch(
        r"openai/one 2\.0 replies a minute, openai/two 0\.4 replies a minute in the last 5 minutes; "
        r"1 items wait for their provider, for up to [56]\d\d s",
        busy.detail,
    )


def test_locked_table_is_reported_in_time(
    listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "STATEMENT_SECONDS", 1)

    with other_connection(autocommit=False) as migrating:
        migrating.execute("LOCK items")
        code, output = run_doctor()

    assert code == 1
    assert "  failed queue        the database does not answer within 1 s\n" in output
    assert "Another session may hold a lock." in output
    assert "  ok     failures" in output


def test_missing_listener_is_reported_with_advice(stub: None) -> None:
    code, output = run_doctor()

    assert code == 1
    assert "none is alive" in output
    assert "manage.py enrich_listener" in output


def test_listener_is_reported_by_its_id(listener_connection: object) -> None:
    assert re.fullmatch(r"1 alive: attic-7 \((127\.0\.0\.1|local)\) for \d+ s", queue.listeners().detail)


def test_listener_of_a_hidden_role_is_reported_without_its_time(listener_connection: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE onlooker")
        cursor.execute("SET ROLE onlooker")
        try:
            result = queue.listeners()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE onlooker")

    assert result.detail == "1 alive: attic-7 (local)"


def test_items_that_wait_for_too_long_are_reported(listener_connection: object, stub: None, owner: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO items (owner_id, raw_text, available_at) VALUES (%s, 'x', now() - interval '1 hour')",
            [owner.pk],
        )

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert re.search(r"1 enriching, 0 in flight, overdue by up to 36\d\d s", output)


@pytest.mark.slow
@pytest.mark.skipif(not PGBOUNCER, reason="PgBouncer is not installed")
def test_pooler_that_swallows_notifications_is_reported(
    listener_connection: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LISTEN_DEADLINE_SECONDS", 1.0)
    with running_pgbouncer() as pooler:
        settings.LISTEN_DATABASE_URL = pooler.url

        code, output = run_doctor()

    assert code == 1
    assert "failed LISTEN" in output
    assert "Set LITEVAULT_LISTEN_DATABASE_URL" in output


def test_listening_at_another_database_is_reported(
    listener_connection: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LISTEN_DEADLINE_SECONDS", 1.0)
    settings.LISTEN_DATABASE_URL = f"{database_url().rpartition('/')[0]}/postgres"

    code, output = run_doctor()

    assert code == 1
    assert "with the same database name" in output


def test_notification_queue_that_fills_up_is_reported(
    listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MAX_QUEUE_SHARE", 0.0)

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert "A listening session keeps a transaction open" in output

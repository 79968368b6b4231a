"""Checks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS
from litevault.operations.doctor import database
from tests.database import trigger_table
from tests.items.other_connection import other_connection
from tests.litevault.operations.doctor.command import run_doctor

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def rolled_back(statement: str) -> Iterator[None]:
    """Run a statement for the block, and roll it back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def test_advice_for_a_missing_trigger_works(listener_connection: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER items_notify_insert ON items")
    before = run_doctor()

    call_command("migrate", "items", "0002_cascade_deletions", verbosity=0)
    call_command("migrate", verbosity=0)

    assert before[0] == 1
    assert "manage.py migrate items 0002_cascade_deletions && manage.py migrate" in before[1]
    assert run_doctor()[0] == 0


@pytest.mark.thorough
def test_advice_for_an_unapplied_migration_works(listener_connection: object, stub: None) -> None:
    call_command("migrate", "items", "0001", verbosity=0)
    before = run_doctor()

    call_command("migrate", verbosity=0)

    assert before[0] == 1
    assert "failed migrations" in before[1]
    assert "Run: manage.py migrate" in before[1]
    assert run_doctor()[0] == 0


@pytest.mark.parametrize("trigger", EXPECTED_TRIGGERS)
@pytest.mark.parametrize("change", ["DROP TRIGGER {} ON {}", "ALTER TABLE {1} DISABLE TRIGGER {0}"])
def test_missing_or_disabled_trigger_is_named(change: str, trigger: str) -> None:
    with rolled_back(change.format(trigger, trigger_table(trigger))):
        result = database.triggers()

    assert not result.is_ok
    assert result.detail == f"missing or disabled: {trigger}"


@pytest.mark.parametrize("function", EXPECTED_FUNCTIONS)
def test_missing_function_is_named(function: str) -> None:
    with rolled_back(f"DROP FUNCTION {function} CASCADE"):
        result = database.triggers()

    assert not result.is_ok
    assert function in result.detail.removeprefix("missing or disabled: ").split(", ")


def test_wrong_clock_is_reported(listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: ours() - timedelta(minutes=1))

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert "differs from the database's by 60 s" in output


def test_read_only_database_is_reported(listener_connection: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")

    try:
        code, output = run_doctor()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")

    assert code == 1
    assert "is read-only" in output
    assert "default_transaction_read_only" in output


@pytest.mark.parametrize(
    ("limit", "value", "detail"),
    [
        ("MAX_CONNECTIONS_SHARE", 0.0, "in use\n         Raise max_connections"),
        ("VERSIONS", range(90, 91), "LiteVault is tested with PostgreSQL 15 to 18"),
    ],
)
def test_limits_of_the_server_are_reported(
    listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch, limit: str, value: object, detail: str
) -> None:
    monkeypatch.setattr(database, limit, value)

    code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert detail in output


def test_long_transaction_is_reported_with_its_process(
    listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MAX_TRANSACTION_SECONDS", 0)
    with other_connection(autocommit=False) as other:
        (pid,) = other.execute("SELECT pg_backend_pid()").fetchone() or (None,)

        code, output = run_doctor()

    assert code == 0
    assert "No check failed, 1 warning." in output
    assert f"SELECT pg_terminate_backend({pid})" in output


def test_database_that_does_not_respond_is_reported(stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    connection.close()

    code, output = run_doctor()

    assert code == 1
    assert "Check DATABASE_URL, and that PostgreSQL is running." in output


def test_unknown_database_user_is_reported(stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "USER", "somebody_else")
    connection.close()

    code, output = run_doctor()

    assert code == 1
    assert "failed database     does not respond" in output


def test_other_encoding_of_the_database_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{connection.settings_dict['NAME']}_latin"
    with other_connection() as other:
        locale = "LOCALE_PROVIDER libc LOCALE 'C'"  # the server's own may not support another encoding
        other.execute(f"CREATE DATABASE {name} ENCODING LATIN1 {locale} TEMPLATE template0".encode())
        try:
            monkeypatch.setitem(connection.settings_dict, "NAME", name)
            connection.close()
            result = database.server()
        finally:
            connection.close()
            other.execute(f"DROP DATABASE {name}".encode())

    assert not result.is_ok
    assert result.detail == "stores text as LATIN1"


def test_sessions_that_the_role_may_not_see_are_mentioned(transactional_db: None) -> None:
    with other_connection(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE unprivileged")
        cursor.execute("SET ROLE unprivileged")
        try:
            transactions, connections = database.transactions(), database.connections()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE unprivileged")

    assert "it may not see" in transactions.detail
    assert not connections.detail.startswith("0 ")

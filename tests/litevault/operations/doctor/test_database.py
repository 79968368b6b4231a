"""What is wrong with the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS
from litevault.operations.doctor import database
from tests.items.other_connection import other_connection
from tests.litevault.operations.doctor.examined import examined

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def undone(statement: str) -> Iterator[None]:
    """Run a statement for the block, and roll it back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def test_missing_trigger_is_told_and_the_advice_cures_it(a_listener: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER items_notify_insert ON items")
    ill = examined()

    call_command("migrate", "items", "0001", verbosity=0)
    call_command("migrate", verbosity=0)

    assert ill[0] == 1
    assert "manage.py migrate items 0001 && manage.py migrate" in ill[1]
    assert examined()[0] == 0


def test_unapplied_migration_is_told_and_the_advice_cures_it(a_listener: object, stub: None) -> None:
    call_command("migrate", "items", "0001", verbosity=0)
    ill = examined()

    call_command("migrate", verbosity=0)

    assert ill[0] == 1
    assert "wrong migrations" in ill[1]
    assert "Run: manage.py migrate" in ill[1]
    assert examined()[0] == 0


@pytest.mark.parametrize("trigger", EXPECTED_TRIGGERS)
@pytest.mark.parametrize("change", ["DROP TRIGGER {} ON items", "ALTER TABLE items DISABLE TRIGGER {}"])
def test_missing_or_disabled_trigger_is_named(change: str, trigger: str) -> None:
    with undone(change.format(trigger)):
        finding = database.triggers()

    assert not finding.is_ok
    assert finding.says == f"missing or disabled: {trigger}"


@pytest.mark.parametrize("function", EXPECTED_FUNCTIONS)
def test_missing_function_is_named(function: str) -> None:
    with undone(f"DROP FUNCTION {function} CASCADE"):
        finding = database.triggers()

    assert not finding.is_ok
    assert function in finding.says.removeprefix("missing or disabled: ").split(", ")


def test_clock_that_goes_wrong_is_told(a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: ours() - timedelta(minutes=1))

    code, said = examined()

    assert code == 1
    assert "is 60 s away from the database's" in said


def test_database_that_takes_no_changes_is_told(a_listener: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")

    try:
        code, said = examined()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")

    assert code == 1
    assert "Set DATABASE_URL to the primary" in said


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MOST_USUAL_CONNECTIONS_SHARE", 0.0, "in use\n        Raise max_connections"),
        ("VERSIONS", range(90, 91), "LiteVault is tested with PostgreSQL 15 to 18"),
    ],
)
def test_limits_of_the_server_are_told(
    a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch, limit: str, value: object, says: str
) -> None:
    monkeypatch.setattr(database, limit, value)

    code, said = examined()

    assert code == 1
    assert says in said


def test_transaction_that_stays_open_is_told_with_its_process(
    a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LONGEST_USUAL_TRANSACTION_SECONDS", 0)
    with other_connection(autocommit=False) as other:
        (pid,) = other.execute("SELECT pg_backend_pid()").fetchone() or (None,)

        code, said = examined()

    assert code == 1
    assert f"SELECT pg_terminate_backend({pid})" in said


def test_database_that_does_not_answer_is_told(stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    connection.close()

    code, said = examined()

    assert code == 1
    assert "Check DATABASE_URL, and that PostgreSQL runs." in said


def test_user_whom_the_database_does_not_know_is_told(stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "USER", "somebody_else")
    connection.close()

    code, said = examined()

    assert code == 1
    assert "wrong database     does not answer" in said


def test_database_that_keeps_text_in_another_encoding_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{connection.settings_dict['NAME']}_latin"
    with other_connection() as other:
        locale = "LOCALE_PROVIDER libc LOCALE 'C'"  # that of the server may know no other encoding
        other.execute(f"CREATE DATABASE {name} ENCODING LATIN1 {locale} TEMPLATE template0".encode())
        try:
            monkeypatch.setitem(connection.settings_dict, "NAME", name)
            connection.close()
            finding = database.server()
        finally:
            connection.close()
            other.execute(f"DROP DATABASE {name}".encode())

    assert not finding.is_ok
    assert finding.says == "keeps text as LATIN1"

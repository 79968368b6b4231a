"""A client that vanishes in the middle of a transaction does not keep its locks."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import InternalError, connection, transaction

from postgres.conninfo import database_conninfo
from postgres.session import Session
from tests.plugins.worker import Database
from tests.waiting import until

IDLE = "SELECT current_setting('idle_in_transaction_session_timeout')"
PID = "SELECT pg_backend_pid()"


def value_of(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def has_ended(pid: object) -> bool:
    with psycopg.connect(database_conninfo()) as other:
        return other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None


@pytest.fixture
def limited(transactional_db: None) -> Iterator[None]:
    """Connections as in a server, with a shorter limit."""
    connection.close()
    connection.settings_dict["TRANSACTION_IDLE_SECONDS"] = 1.5
    yield
    del connection.settings_dict["TRANSACTION_IDLE_SECONDS"]
    connection.close()


@transaction.atomic
def abandon() -> None:
    pid = value_of(PID)
    until(lambda: has_ended(pid))
    value_of(PID)


async def abandon_in(session: Session) -> None:
    async with session.transaction() as fetch:
        ((pid,),) = await fetch(PID, {})
        until(lambda: has_ended(pid))  # the loop is blocked, as in a frozen process, and does not see its deadline
        await fetch(PID, {})


def test_server_ends_an_abandoned_transaction_of_django(limited: None) -> None:
    with pytest.raises(InternalError):
        abandon()

    assert value_of(PID)


def test_limit_of_django_ends_with_the_transaction(limited: None) -> None:
    with transaction.atomic():
        inside = value_of(IDLE)

    assert (inside, value_of(IDLE)) == ("1500ms", "0")


async def test_server_ends_an_abandoned_transaction_of_a_session(database: Database) -> None:
    session = Session(deadline_seconds=2)
    with pytest.raises(psycopg.Error):
        await abandon_in(session)

    assert await session.fetch(PID, {})
    await session.close()


async def test_limit_of_a_session_ends_with_the_transaction(database: Database) -> None:
    session = Session(deadline_seconds=60)
    async with session.transaction() as fetch:
        inside = await fetch(IDLE, {})
    outside = await session.fetch(IDLE, {})
    await session.close()

    assert (inside, outside) == ([("1min",)], [("0",)])

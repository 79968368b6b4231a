"""A session abandons a silent server at the deadline, and replaces a lost connection."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from django.db import connection
from psycopg import DataError, OperationalError, ProgrammingError
from psycopg.conninfo import make_conninfo

from postgres import session as session_module
from postgres.conninfo import database_conninfo
from postgres.session import DatabaseTimeout, Row, Session
from tests.enrichment.waiting import PATIENCE_SECONDS
from tests.plugins.worker import Database

BACKEND = "SELECT pg_backend_pid()"
LONG_SECONDS = 600
LONG_STATEMENT = f"SELECT pg_sleep({LONG_SECONDS})"


@pytest.fixture
async def session(database: Database) -> AsyncIterator[Session]:
    connected = Session(deadline_seconds=5)
    yield connected
    await connected.close()


async def backend(session: Session) -> Row:
    (row,) = await session.fetch(BACKEND, {})
    return row


def is_running() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE state = 'active' AND query = %s", [LONG_STATEMENT])
        return bool(cursor.rowcount)


async def test_connection_is_kept_from_one_statement_to_the_next(session: Session) -> None:
    assert await backend(session) == await backend(session)


async def test_slow_statement_is_abandoned_and_the_next_one_works(database: Database) -> None:
    session = Session(deadline_seconds=1.5)
    await session.fetch("SELECT set_config('client_connection_check_interval', '100ms', false)", {})
    started = time.monotonic()

    with pytest.raises(DatabaseTimeout):
        await session.fetch("SELECT pg_sleep(60)", {})

    assert time.monotonic() - started < PATIENCE_SECONDS / 2, "the server would have taken a minute"
    assert await backend(session)
    await session.close()


async def test_server_that_accepts_and_says_nothing_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(
            session_module,
            "database_conninfo",
            lambda: make_conninfo(database_conninfo(), port=port, sslmode="disable"),
        )
        session = Session(deadline_seconds=0.3)
        started = time.monotonic()

        with pytest.raises(DatabaseTimeout):
            await session.fetch(BACKEND, {})

        assert time.monotonic() - started < PATIENCE_SECONDS / 2
        await session.close()


async def test_lost_connection_is_replaced_for_the_next_statement(session: Session) -> None:
    first = await backend(session)

    with pytest.raises(OperationalError):
        await session.fetch("SELECT pg_terminate_backend(pg_backend_pid())", {})

    assert await backend(session) != first


async def test_connection_ended_by_the_server_is_replaced(session: Session) -> None:
    (ended,) = await backend(session)
    other = Session(deadline_seconds=10)
    await other.fetch("SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": ended})
    await other.close()

    assert await backend(session) != (ended,)


async def test_refused_statement_leaves_the_session_usable(session: Session) -> None:
    with pytest.raises(ProgrammingError):
        await session.fetch("SELECT FROM no_such_table", {})

    assert await backend(session)


async def test_statements_are_never_prepared(session: Session) -> None:
    for _ in range(10):
        await backend(session)

    assert await session.fetch("SELECT count(*) FROM pg_prepared_statements", {}) == [(0,)]


async def run_in_transaction(session: Session, *statements: str) -> None:
    async with session.transaction() as fetch:
        for statement in statements:
            await fetch(statement, {})


@pytest.fixture
async def table(session: Session) -> AsyncIterator[str]:
    await session.fetch("CREATE TABLE session_test (n integer)", {})
    yield "session_test"
    await session.fetch("DROP TABLE session_test", {})


async def test_transaction_is_committed_as_a_whole(session: Session, table: str) -> None:
    await run_in_transaction(session, f"INSERT INTO {table} VALUES (1)", f"INSERT INTO {table} VALUES (2)")

    assert await session.fetch(f"SELECT count(*) FROM {table}", {}) == [(2,)]


async def test_exception_rolls_a_transaction_back(session: Session, table: str) -> None:
    with pytest.raises(DataError):
        await run_in_transaction(session, f"INSERT INTO {table} VALUES (1)", "SELECT 1 / 0")

    assert await session.fetch(f"SELECT count(*) FROM {table}", {}) == [(0,)]


async def test_deadline_is_for_the_whole_transaction(database: Database) -> None:
    session = Session(deadline_seconds=0.5)
    started = time.monotonic()

    with pytest.raises(DatabaseTimeout):
        await run_in_transaction(session, *["SELECT pg_sleep(0.1)"] * 1000)

    assert time.monotonic() - started < PATIENCE_SECONDS / 2
    await session.close()


async def test_tasks_that_share_a_session_take_turns(session: Session) -> None:
    rows = await asyncio.gather(*(session.fetch("SELECT pg_backend_pid(), pg_sleep(0.01)", {}) for _ in range(10)))

    assert len({row[0] for ((*row,),) in rows}) == 1


async def test_cancelled_task_does_not_wait_for_the_server(database: Database) -> None:
    session = Session(deadline_seconds=LONG_SECONDS)
    await session.fetch("SELECT set_config('client_connection_check_interval', '100ms', false)", {})
    asking = asyncio.create_task(session.fetch(LONG_STATEMENT, {}))
    await database.until(is_running)

    asking.cancel()
    await asyncio.wait({asking}, timeout=PATIENCE_SECONDS)

    assert asking.cancelled()
    assert await backend(session)
    await session.close()


async def test_closing_cuts_off_what_is_waiting(database: Database) -> None:
    session = Session(deadline_seconds=LONG_SECONDS)
    await session.fetch("SELECT set_config('client_connection_check_interval', '100ms', false)", {})
    asking = asyncio.create_task(session.fetch(LONG_STATEMENT, {}))
    await database.until(is_running)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await session.close()

    with pytest.raises(OperationalError):
        await asking

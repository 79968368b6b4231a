"""The connection that claims: a silent server is given up at the deadline, and a lost connection replaced."""

import socket
import time
from collections.abc import AsyncIterator

import pytest
from django.db import OperationalError, ProgrammingError
from psycopg.conninfo import make_conninfo

from enrichment import claim_connection
from enrichment.claim_connection import ClaimConnection
from enrichment.database import DATABASE_AWAY, conninfo
from items.queue import Row
from tests.plugins.worker import Database

BACKEND = "SELECT pg_backend_pid()"


@pytest.fixture
async def claims(database: Database) -> AsyncIterator[ClaimConnection]:  # there must be one
    connected = ClaimConnection(deadline_seconds=5)
    yield connected
    await connected.close()


async def backend(claims: ClaimConnection) -> Row:
    (row,) = await claims.fetch(BACKEND, {})
    return row


async def test_connection_is_kept_from_one_statement_to_the_next(claims: ClaimConnection) -> None:
    assert await backend(claims) == await backend(claims)


async def test_statement_that_takes_too_long_is_given_up_and_the_next_is_answered(database: Database) -> None:
    claims = ClaimConnection(deadline_seconds=0.3)
    await claims.fetch("SELECT set_config('client_connection_check_interval', '100ms', false)", {})
    started = time.monotonic()

    with pytest.raises(OperationalError):
        await claims.fetch("SELECT pg_sleep(60)", {})

    assert time.monotonic() - started < 5, "the server would have taken a minute"
    assert await backend(claims)
    await claims.close()


async def test_server_that_accepts_and_says_nothing_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(
            claim_connection, "conninfo", lambda: make_conninfo(conninfo(), port=port, sslmode="disable")
        )
        claims = ClaimConnection(deadline_seconds=0.3)
        started = time.monotonic()

        with pytest.raises(DATABASE_AWAY):
            await claims.fetch(BACKEND, {})

        assert time.monotonic() - started < 5
        await claims.close()


async def test_lost_connection_is_replaced_for_the_next_statement(claims: ClaimConnection) -> None:
    first = await backend(claims)

    with pytest.raises(OperationalError):
        await claims.fetch("SELECT pg_terminate_backend(pg_backend_pid())", {})

    assert await backend(claims) != first


async def test_connection_that_the_server_ended_meanwhile_is_replaced_unnoticed(claims: ClaimConnection) -> None:
    (ended,) = await backend(claims)
    other = ClaimConnection(deadline_seconds=10)
    await other.fetch("SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": ended})
    await other.close()

    assert await backend(claims) != (ended,)


async def test_what_the_database_refuses_is_raised_as_django_would(claims: ClaimConnection) -> None:
    with pytest.raises(ProgrammingError):
        await claims.fetch("SELECT FROM no_such_table", {})

    assert await backend(claims)


async def test_nothing_is_prepared_however_often_it_is_asked(claims: ClaimConnection) -> None:
    for _ in range(10):
        await backend(claims)

    assert await claims.fetch("SELECT count(*) FROM pg_prepared_statements", {}) == [(0,)]

"""Statements of the pool's connections have a deadline, and the sessions that go on without us are counted."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from postgres.backoff import Backoff
from postgres.django import base, waits
from postgres.django.base import PooledConnection
from postgres.django.waits import MANY, TRIAL, StatementTimeout, Waits
from tests.database import database_url
from tests.faults.pgbouncer import PROGRAM, running_pgbouncer
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

WRITE = "SELECT pg_logical_emit_message(true, '', '')"
LOCKED = "SELECT pg_advisory_xact_lock(4711)"
ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND state = 'active'"


@pytest.fixture(autouse=True)
def own_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    own = Waits()
    monkeypatch.setattr(base, "WAITS", own)
    monkeypatch.setattr(waits, "TRIAL", Backoff(first_seconds=3600, longest_seconds=3600))
    yield own
    own.record_change()


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A session that holds the lock for which the statements wait."""
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(4711)")
        yield other


def left_waiting(url: str, count: int) -> None:
    """Give up as many statements that wait for the lock."""
    connections = [PooledConnection.connect(url, autocommit=True) for _ in range(count)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "STATEMENT_SECONDS", 0.1)
        for left in connections:
            with pytest.raises(StatementTimeout):
                left.execute(LOCKED)
            assert left.closed


def test_server_is_counted_as_busy_until_it_answers(
    own_waits: Waits, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    left_waiting(database_url(), MANY)
    assert not own_waits.may_change()
    assert other.execute(ACTIVE, [LOCKED]).fetchone() == (MANY,)

    other.execute("SELECT pg_advisory_unlock_all()")

    until(own_waits.may_change)
    until(lambda: other.execute(ACTIVE, [LOCKED]).fetchone() == (0,))


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (Debian: apt install pgbouncer)")
def test_pooler_does_not_learn_that_we_left(own_waits: Waits, other: psycopg.Connection[tuple[object, ...]]) -> None:
    """It would close its connection to the server, whose session would go on uncounted."""
    with running_pgbouncer() as pooler:
        left_waiting(pooler.url, MANY)
        psycopg.connect(pooler.url).close()  # it has read by now what was sent before

        assert not own_waits.may_change()


def test_changes_are_tried_ever_more_seldom(
    own_waits: Waits, other: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0
    monkeypatch.setattr(waits, "TRIAL", TRIAL)
    monkeypatch.setattr(waits, "time", SimpleNamespace(monotonic=lambda: now))
    left_waiting(database_url(), MANY)

    trials = []
    for now in range(100):
        trials += [now] * own_waits.may_change()

    assert trials == [5, 15, 35, 75]


def committed(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_commit_that_waits_for_a_standby_ends_the_refusals(
    own_waits: Waits, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    left_waiting(database_url(), MANY)
    assert not own_waits.may_change()

    committed(WRITE)

    assert own_waits.may_change()


@pytest.mark.parametrize(
    "statements",
    [("SELECT 1",), ("SET LOCAL synchronous_commit = off", WRITE), ("SET LOCAL synchronous_commit = local", WRITE)],
)
def test_commit_that_waits_for_no_standby_leaves_the_refusals(
    own_waits: Waits, other: psycopg.Connection[tuple[object, ...]], statements: tuple[str, ...]
) -> None:
    left_waiting(database_url(), MANY)

    committed(*statements)

    assert not own_waits.may_change()


def test_number_of_kept_sockets_is_limited(
    own_waits: Waits,
    other: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waits, "MOST_LEFT", MANY - 1)

    left_waiting(database_url(), MANY)

    assert own_waits.may_change()


def test_no_request_waits_behind_many_slow_statements(own_waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(database_url())) for _ in range(MANY)]
        monkeypatch.setattr(waits, "SLOW_SECONDS", -1)  # each is slow from its beginning
        for each in connections[1:]:
            own_waits.begin(each)
        assert not own_waits.are_many()
        own_waits.begin(connections[0])
        assert own_waits.are_many()
        own_waits.end(connections[0])
        assert not own_waits.are_many()


def test_no_request_waits_while_no_connection_can_be_made(own_waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "UNREACHABLE_SECONDS", -1)

    with pytest.raises(psycopg.OperationalError):
        PooledConnection.connect("host=127.0.0.1 port=1")
    assert own_waits.are_many()

    with PooledConnection.connect(database_url()):
        assert not own_waits.are_many()

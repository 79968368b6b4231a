"""Statements of the pool's connections have a deadline, and the sessions that go on without us are counted."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from pytest_django.fixtures import SettingsWrapper

from postgres.django import base, waits
from postgres.django.base import PooledConnection
from postgres.django.waits import MANY, StatementTimeout, Waits
from tests.database import database_url
from tests.faults.proxy import Proxy
from tests.plugins.proxies import through
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

LOCKED = "SELECT pg_advisory_lock(4711)"
ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND state = 'active'"


@pytest.fixture(autouse=True)
def own_waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    own = Waits()
    monkeypatch.setattr(base, "WAITS", own)
    return own


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A session that holds the lock for which the statements wait."""
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute(LOCKED)
        yield other


def left_waiting(url: str, count: int, settings: SettingsWrapper) -> None:
    """Give up as many statements that wait for the lock."""
    for _ in range(count):
        settings.STATEMENT_SECONDS = 60
        connection = PooledConnection.connect(url, autocommit=True)
        settings.STATEMENT_SECONDS = 0.05
        with pytest.raises(StatementTimeout):
            connection.execute(LOCKED)
        assert connection.closed


def test_server_is_counted_as_busy_until_it_answers(
    own_waits: Waits, other: psycopg.Connection[tuple[object, ...]], settings: SettingsWrapper
) -> None:
    left_waiting(database_url(), MANY, settings)
    assert own_waits.are_many_left()
    assert other.execute(ACTIVE, [LOCKED]).fetchone() == (MANY,)

    other.execute("SELECT pg_advisory_unlock_all()")

    until(lambda: not own_waits.are_many_left())
    until(lambda: other.execute(ACTIVE, [LOCKED]).fetchone() == (0,))


def test_pooler_does_not_learn_that_we_left(
    own_waits: Waits,
    other: psycopg.Connection[tuple[object, ...]],
    settings: SettingsWrapper,
    make_proxy: Callable[[], Proxy],
) -> None:
    """It would close its connection to the server, whose session would go on uncounted."""
    left_waiting(through(make_proxy()), MANY, settings)

    assert own_waits.are_many_left()
    assert other.execute(ACTIVE, [LOCKED]).fetchone() == (MANY,)


def test_no_socket_is_kept_for_ever(
    own_waits: Waits,
    other: psycopg.Connection[tuple[object, ...]],
    settings: SettingsWrapper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left_waiting(database_url(), MANY, settings)

    monkeypatch.setattr(waits, "LEFT_SECONDS", 0)

    assert not own_waits.are_many_left()


def test_number_of_kept_sockets_is_limited(
    own_waits: Waits,
    other: psycopg.Connection[tuple[object, ...]],
    settings: SettingsWrapper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waits, "MOST_LEFT", MANY - 1)

    left_waiting(database_url(), MANY, settings)

    assert not own_waits.are_many_left()


def test_no_request_waits_behind_many_slow_statements(own_waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(database_url())) for _ in range(MANY)]
        monkeypatch.setattr(waits, "SLOW_SECONDS", -1)  # each is slow from its beginning
        for connection in connections[1:]:
            own_waits.begin(connection)
        assert not own_waits.are_many()
        own_waits.begin(connections[0])
        assert own_waits.are_many()
        own_waits.end(connections[0])
        assert not own_waits.are_many()


def test_no_request_waits_while_no_connection_can_be_made(
    own_waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "SLOW_SECONDS", -1)

    with pytest.raises(psycopg.OperationalError):
        PooledConnection.connect("host=127.0.0.1 port=1")
    assert own_waits.are_many()

    with PooledConnection.connect(database_url()):
        assert not own_waits.are_many()

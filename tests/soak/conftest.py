"""The long versions of the scenarios in tests/faults. They run with `make soak` only."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.end_to_end.conftest import (
    CommandStarter,
    Started,
    start,  # noqa: F401  # a fixture for the tests here
    start_listener,  # noqa: F401  # a fixture for the tests here
)
from tests.faults.conftest import start_slow  # noqa: F401  # a fixture for the tests here
from tests.soak.server import OwnServer, own_server
from tests.waiting import wait


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """One that a test may stop."""
    with own_server() as server:
        yield server


WorkerStarter = Callable[..., Started]


@pytest.fixture
def start_worker(start: CommandStarter, server: OwnServer) -> WorkerStarter:  # noqa: F811  # the fixture of that name
    """Start a worker at that server, whose provider takes so many seconds for each item; wait until it listens."""

    def start_worker(seconds: float, *arguments: str, **environment: str) -> Started:
        program = ("-m", "tests.faults.slow_listener", str(seconds))
        process = start(*arguments, program=program, DATABASE_URL=server.url, **environment)
        process.until_it_listens()
        return process

    return start_worker


class Queue:
    """What a test asks the server that Django does not know."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self._owner = server.ask(
            "INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff,"
            " is_active, date_joined) VALUES ('owner', '', '', '', '', false, false, true, now()) RETURNING id"
        )

    def capture(self, count: int) -> None:
        with psycopg.connect(self._server.url) as connected:
            connected.execute(
                "INSERT INTO items (owner_id, raw_text) SELECT %s, 'Text number ' || n FROM generate_series(1, %s) n",
                [self._owner, count],
            )

    def count(self, condition: str) -> int:
        return int(self._server.ask(f"SELECT count(*) FROM items WHERE {condition}"))

    def attempts(self, condition: str) -> int:
        return int(self._server.ask(f"SELECT count(*) FROM enrichment_attempts WHERE {condition}"))

    def becomes(self, status: str, *, count: int, seconds: float) -> bool:
        return wait(lambda: self.count(f"status = '{status}'") == count, seconds=seconds)

    def wrong(self) -> int:
        """How many items do not have exactly one attempt that succeeded, and attempts without a gap before it."""
        return int(
            self._server.ask(
                "SELECT count(*) FROM (SELECT items.id FROM items LEFT JOIN enrichment_attempts ON item_id = items.id"
                " GROUP BY items.id, status, claimed_by"
                " HAVING status <> 'READY_TO_CONFIRM' OR claimed_by IS NOT NULL"
                " OR count(*) FILTER (WHERE outcome = 'SUCCEEDED') <> 1 OR max(number) <> count(*)) found"
            )
        )


@pytest.fixture
def queue(server: OwnServer) -> Queue:
    return Queue(server)

"""The queue at a server that Django does not know, and workers for it."""

from collections.abc import Callable

import psycopg

from tests.plugins.commands import Started
from tests.soak.server import OwnServer
from tests.waiting import wait

WorkerStarter = Callable[..., Started]


class Queue:
    """Queries to a server that Django does not know."""

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
        """Count the items without exactly one successful attempt, or with a gap in the numbers of their attempts."""
        return int(
            self._server.ask(
                "SELECT count(*) FROM (SELECT items.id FROM items LEFT JOIN enrichment_attempts ON item_id = items.id"
                " GROUP BY items.id, status, claimed_by"
                " HAVING status <> 'READY_TO_CONFIRM' OR claimed_by IS NOT NULL"
                " OR count(*) FILTER (WHERE outcome = 'SUCCEEDED') <> 1 OR max(number) <> count(*)) found"
            )
        )

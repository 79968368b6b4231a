"""The physical limit of a start: one connection notifies, another process listens, and nothing is claimed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from benchmarks.contenders.base import Contender, Started


class Ringing:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def one(self, key: str) -> None:
        self._connection.execute("SELECT pg_notify('benchmark', %s)", [key])

    def many(self, keys: Sequence[str]) -> None:
        self._connection.execute("SELECT pg_notify('benchmark', key) FROM unnest(%s::text[]) key", [list(keys)])


class Doorbell(Contender):
    name = "NOTIFY → LISTEN alone"
    settings = "psycopg on both sides, nothing claimed, nothing written"
    done = "SELECT true"
    clear = "SELECT"

    def install(self, url: str) -> None:
        """There is nothing to lay down."""

    @contextmanager
    def capturing(self, url: str) -> Iterator[Ringing]:
        with psycopg.connect(url, autocommit=True) as connected:
            yield Ringing(connected)

    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connected:
            await connected.execute("LISTEN benchmark")
            async for notification in connected.notifies():
                started(notification.payload)

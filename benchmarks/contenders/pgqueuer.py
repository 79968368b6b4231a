"""PGQueuer on asyncpg, by its own API: `enqueue` and `PgQueuer.run`."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
import psycopg
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.queries import Queries, SyncQueries
from pgqueuer.db import AsyncpgDriver, SyncPsycopgDriver
from pgqueuer.models import Job

from benchmarks.contenders.base import Contender, Started

POOL = 10


class Enqueuing:
    def __init__(self, queries: SyncQueries) -> None:
        self._queries = queries

    def one(self, key: str) -> None:
        self._queries.enqueue("work", key.encode())

    def many(self, keys: Sequence[str]) -> None:
        self._queries.enqueue(["work"] * len(keys), [key.encode() for key in keys], [0] * len(keys))


class Pgqueuer(Contender):
    name = "pgqueuer"
    settings = f"asyncpg with a pool of {POOL}, batches of 10 (its default); one process"
    batch = 10
    clear = "TRUNCATE pgqueuer CASCADE"
    done = "SELECT NOT EXISTS (SELECT FROM pgqueuer)"

    def install(self, url: str) -> None:
        async def install() -> None:
            connection = await asyncpg.connect(url)
            await Queries(AsyncpgDriver(connection)).install()
            await connection.close()

        asyncio.run(install())

    @contextmanager
    def capturing(self, url: str) -> Iterator[Enqueuing]:
        with psycopg.connect(url, autocommit=True) as connected:
            yield Enqueuing(SyncQueries(SyncPsycopgDriver(connected)))

    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        async with asyncpg.create_pool(url, min_size=POOL, max_size=POOL) as pool:
            queue = PgQueuer.from_asyncpg_pool(pool)

            @queue.entrypoint("work")  # type: ignore[untyped-decorator]  # not installed where types are checked
            async def work(job: Job) -> None:
                started((job.payload or b"").decode())
                if seconds:
                    await asyncio.sleep(seconds)

            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queue.shutdown.set)
            await queue.run(**self._sizes(concurrency))

    def _sizes(self, concurrency: int) -> dict[str, Any]:
        """It refuses a limit below twice the batch."""
        return {"batch_size": max(1, min(self.batch, concurrency // 2)), "max_concurrent_tasks": max(2, concurrency)}


class TunedPgqueuer(Pgqueuer):
    """As fast as we could make it: large batches at once also make its log of results large batches."""

    name = "pgqueuer, large batches"
    settings = "as above, with batches of half the concurrency, the most that it takes; one process"
    batch = 10_000

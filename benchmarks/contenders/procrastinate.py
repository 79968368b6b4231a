"""procrastinate, by its own API: `defer`, `batch_defer` and `run_worker_async`."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.tasks import Task

from benchmarks.contenders.base import Contender, Started

POOL = 20


class Deferring:
    def __init__(self, task: "Task[..., object, ...]") -> None:
        self._task = task

    def one(self, key: str) -> None:
        self._task.defer(key=key)

    def many(self, keys: Sequence[str]) -> None:
        self._task.batch_defer(*({"key": key} for key in keys))


class Procrastinate(Contender):
    name = "procrastinate"
    settings = f"async worker on a pool of {POOL} connections, listen_notify, jobs kept (its defaults); one process"
    clear = "TRUNCATE procrastinate_jobs CASCADE"
    done = "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"

    def install(self, url: str) -> None:
        with App(connector=SyncPsycopgConnector(conninfo=url)).open() as app:
            app.schema_manager.apply_schema()

    @contextmanager
    def capturing(self, url: str) -> Iterator[Deferring]:
        app = App(connector=SyncPsycopgConnector(conninfo=url))
        with app.open():
            yield Deferring(app.task(name="work")(_nothing))

    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        app = App(connector=PsycopgConnector(conninfo=url, min_size=POOL, max_size=POOL))

        @app.task(name="work")  # type: ignore[untyped-decorator]  # not installed where types are checked
        async def work(key: str) -> None:
            started(key)
            if seconds:
                await asyncio.sleep(seconds)

        async with app.open_async():
            await app.run_worker_async(concurrency=concurrency)


async def _nothing(key: str) -> None:
    """Only the worker's process knows what to do."""

"""A worker in the test's own event loop, against the real database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import pytest
from django.contrib.auth.models import User

from enrichment.config import EnrichSettings
from enrichment.providers.base import EnrichmentProvider
from enrichment.worker import EnrichmentWorker
from items.models import EnrichmentAttempt, Item
from items.queue import LISTENER_NAME, WORKER_CHANNELS
from litevault.events.orm_thread import OrmThread
from postgres.conninfo import listen_conninfo
from postgres.listener import Listener
from tests.enrichment.waiting import PATIENCE_SECONDS

Value = TypeVar("Value")


class Database:
    """The test's own look at the database from inside an event loop."""

    def __init__(self, thread: OrmThread) -> None:
        self._thread = thread

    async def run(self, work: Callable[[], Value]) -> Value:
        return await self._thread.run(work)

    async def capture(self, owner: User, *texts: str) -> list[Item]:
        def capture() -> list[Item]:
            return [Item.objects.capture(owner=owner, raw_text=text) for text in texts]

        return await self.run(capture)

    async def read(self, item: Item) -> Item:
        return await self.run(lambda: Item.objects.get(pk=item.pk))

    async def attempts(self, item: Item) -> list[EnrichmentAttempt]:
        return await self.run(lambda: list(EnrichmentAttempt.objects.filter(item=item).order_by("number")))

    async def outcomes(self, item: Item) -> list[tuple[str, str | None]]:
        return [(attempt.outcome, attempt.error_code) for attempt in await self.attempts(item)]

    async def reaches(self, item: Item, status: str) -> Item:
        """Wait until the item has this status."""
        await self.until(lambda: Item.objects.filter(pk=item.pk, status=status).exists())
        return await self.read(item)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a question to the database is answered with yes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await self.run(condition):
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.01)


@pytest.fixture
async def database(transactional_db: None) -> AsyncIterator[Database]:
    thread = OrmThread("test", deadline_seconds=10)
    yield Database(thread)
    await thread.close()


class WorkerMaker(Protocol):
    def __call__(
        self,
        provider: EnrichmentProvider,
        *,
        listens: bool = True,
        enrich: dict[str, Any] | None = None,
        **options: Any,
    ) -> AbstractAsyncContextManager[EnrichmentWorker]: ...


@pytest.fixture
def working(database: Database) -> WorkerMaker:
    """Run a worker with its listener for as long as the block lasts; then release, as a second signal does."""

    @asynccontextmanager
    async def working(
        provider: EnrichmentProvider, *, listens: bool = True, enrich: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[EnrichmentWorker]:
        options = {"worker_id": "test", "concurrency": 3, "deadline_seconds": 30, **options}
        worker = EnrichmentWorker(provider, settings=EnrichSettings(**(enrich or {})), **options)
        listener = Listener(
            listen_conninfo(),
            channels=WORKER_CHANNELS,
            name=LISTENER_NAME,
            on_notification=worker.on_notification,
            on_health=worker.on_health,
        )
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listener.run()) if listens else None
            running = group.create_task(worker.run())
            try:
                yield worker
            finally:
                worker.release()
                await running
                if listening:
                    listening.cancel()

    return working

"""The measurements: the doorbell alone, and the whole way from a commit to the start of work."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeAlias

import psycopg
from django.contrib.auth.models import User
from psycopg import sql

from enrichment.config import EnrichSettings
from enrichment.listener import Listener
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult, Usage
from enrichment.worker import EnrichmentWorker
from items.states import SourceType

Measurements: TypeAlias = dict[str, float]

RESULT = EnrichmentResult(
    title="A title",
    summary="A summary.",
    tags=("one", "two", "three"),
    source_type=SourceType.NOTE,
    usage=Usage(model="null"),
)
PAUSE_BETWEEN_CAPTURES_SECONDS = 0.005


class NullProvider(EnrichmentProvider):
    """Answers at once, and notes when it was asked."""

    def __init__(self) -> None:
        self.asked_at: dict[str, float] = {}

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:  # noqa: ARG002  # it answers at once
        self.asked_at[text] = time.perf_counter()
        return RESULT


async def measure(url: str, arguments: argparse.Namespace) -> Measurements:
    """One round of everything, in turn, so that a noisy moment hits all alike."""
    owner = await asyncio.to_thread(lambda: User.objects.get_or_create(username="benchmark")[0].pk)
    doorbell = await raw_doorbell(url, arguments.captures)
    provider = NullProvider()
    async with working(url, provider, arguments.concurrency):
        committed_at = await asyncio.to_thread(capture_one_by_one, url, owner, arguments.captures)
        await all_done(url)
        starts = [(provider.asked_at[text] - moment) * 1000 for text, moment in committed_at.items()]
        started = time.perf_counter()
        await asyncio.to_thread(capture_burst, url, owner, arguments.burst)
        committed = time.perf_counter()
        await all_done(url)
        drained = time.perf_counter()
    return {
        "NOTIFY to LISTEN alone, p50 ms": percentile(doorbell, 0.5),
        "commit to start of work, p50 ms": percentile(starts, 0.5),
        "commit to start of work, p95 ms": percentile(starts, 0.95),
        "commit to start of work, max ms": max(starts),
        f"insert {arguments.burst} rows, s": committed - started,
        f"enrich {arguments.burst} rows, s": drained - committed,
        "items enriched per second": arguments.burst / (drained - committed),
    }


@asynccontextmanager
async def working(url: str, provider: EnrichmentProvider, concurrency: int) -> AsyncIterator[None]:
    worker = EnrichmentWorker(
        provider, worker_id="benchmark", concurrency=concurrency, deadline_seconds=30, settings=EnrichSettings()
    )
    listening = asyncio.Event()
    listener = Listener(url, on_wake=worker.wake, on_cancel=worker.cancel, on_health=lambda _: listening.set())
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(listener.run())
        running = group.create_task(worker.run())
        await listening.wait()
        yield
        worker.drain()
        await running
        listener.stop()
        hearing.cancel()


async def raw_doorbell(url: str, count: int) -> list[float]:
    """What PostgreSQL and the driver need by themselves: one connection notifies, another hears."""
    milliseconds = []
    async with (
        await psycopg.AsyncConnection.connect(url, autocommit=True) as hearing,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as ringing,
    ):
        await hearing.execute("LISTEN benchmark")
        for _ in range(count):
            await ringing.execute("NOTIFY benchmark")
            rang_at = time.perf_counter()
            async with aclosing(hearing.notifies(timeout=5)) as notifications:
                await anext(notifications)
            milliseconds.append((time.perf_counter() - rang_at) * 1000)
    return milliseconds


def capture_one_by_one(url: str, owner: int, count: int) -> dict[str, float]:
    """Capture in the rhythm of a busy client, and note when each commit was done."""
    committed_at = {}
    with psycopg.connect(url, autocommit=True) as connected:
        for number in range(count):
            text = f"{time.time_ns()} {number}"
            connected.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, %s)", [owner, text])
            committed_at[text] = time.perf_counter()
            time.sleep(PAUSE_BETWEEN_CAPTURES_SECONDS)
    return committed_at


def capture_burst(url: str, owner: int, count: int) -> None:
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute(
            sql.SQL("INSERT INTO items (owner_id, raw_text) SELECT %s, 'text ' || n FROM generate_series(1, %s) n"),
            [owner, count],
        )


async def all_done(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connected:
        while True:
            waiting = await connected.execute("SELECT EXISTS (SELECT FROM items WHERE status = 'ENRICHING')")
            if await waiting.fetchone() == (False,):
                return
            await asyncio.sleep(0.01)


def percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[round(part * (len(values) - 1))]

"""The guarantees of the worker, with a real database and a scripted provider."""

import asyncio
import gc

import pytest
from django.contrib.auth.models import User

from enrichment.config import EnrichSettings
from enrichment.management.commands.enrich_listener import run_with_listener
from enrichment.worker import EnrichmentWorker
from items.models import Item
from items.states import Outcome, SourceType, Status
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.enrichment.waiting import until
from tests.items.other_connection import other_connection
from tests.plugins.worker import Database, WorkerMaker


async def test_captured_item_becomes_ready_to_confirm(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    async with working(provider):
        (item,) = await database.capture(owner, "some text")

        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    (attempt,) = await database.attempts(item)
    assert (item.title, item.summary, item.tags) == ("A title", "A summary.", ["one", "two", "three"])
    assert (item.source_type, item.enrichment_error, item.claimed_by) == (SourceType.NOTE, None, None)
    assert (attempt.number, attempt.outcome, attempt.worker) == (1, Outcome.SUCCEEDED, "test")
    assert (attempt.model, attempt.prompt_tokens, attempt.completion_tokens) == ("scripted", 7, 3)


async def test_items_captured_before_the_start_are_enriched(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    items = await database.capture(owner, *[f"text {number}" for number in range(10)])

    async with working(provider, listens=False):
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert sorted(provider.calls) == sorted(item.raw_text for item in items)


async def test_concurrency_reaches_but_never_exceeds_its_limit(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    texts = [f"text {number}" for number in range(30)]
    provider.script = {text: [gate] for text in texts}

    async with working(provider, concurrency=5):
        items = await database.capture(owner, *texts)
        await until(lambda: provider.running == 5)
        claimed = await database.run(Item.objects.filter(claimed_by="test").count)
        gate.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert provider.most_running == 5
    assert claimed <= 6, "one more than the slots may be claimed ahead"
    assert len(provider.calls) == 30


async def test_owner_limit_holds_and_does_not_block_others(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    texts = [f"text {number}" for number in range(10)]
    provider.script = {text: [gate] for text in texts}

    async with working(provider, concurrency=5, enrich={"per_owner_concurrency": 2}):
        items = await database.capture(owner, *texts)
        await until(lambda: provider.running == 2)
        (other,) = await database.capture(stranger, "other")
        await database.reaches(other, Status.READY_TO_CONFIRM)
        running = provider.running
        gate.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert running == 2
    assert provider.most_running == 3


async def test_locked_item_does_not_delay_others(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["locked"] = [answer]

    async with working(provider):
        locked, free = await database.capture(owner, "locked", "free")
        await until(lambda: provider.running == 1)
        with other_connection(autocommit=False) as other:
            other.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [locked.pk])
            answer.set()
            await database.reaches(free, Status.READY_TO_CONFIRM)
            (later,) = await database.capture(owner, "later")
            await database.reaches(later, Status.READY_TO_CONFIRM)
        await database.reaches(locked, Status.READY_TO_CONFIRM)

    assert await database.outcomes(locked) == [(Outcome.SUCCEEDED, None)]


async def test_worker_without_notifications_sweeps(
    owner: User, database: Database, provider: ScriptedProvider, working: WorkerMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enrichment.worker.DEGRADED_SWEEP_SECONDS", 0.05)

    (first,) = await database.capture(owner, "found at the start")

    async with working(provider, listens=False, enrich={"sweep_seconds": 3600}) as worker:
        await database.reaches(first, Status.READY_TO_CONFIRM)
        (item,) = await database.capture(owner, "not heard")

        worker.on_health(False)

        await database.reaches(item, Status.READY_TO_CONFIRM)


async def test_log_has_events_without_any_text(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    capfd: pytest.CaptureFixture[str],
) -> None:
    provider.script["canary-text"] = [ValueError("canary-exception"), draft("canary-title")]

    async with working(provider):
        (item,) = await database.capture(owner, "canary-text")
        await database.reaches(item, Status.FAILED)

    output = "".join(capfd.readouterr())
    assert "enrichment.failed" in output
    assert "ValueError" in output
    assert "canary" not in output


async def test_loaded_modules_are_not_collected_while_items_wait(
    owner: User, database: Database, provider: ScriptedProvider
) -> None:
    (item,) = await database.capture(owner, "some text")
    worker = EnrichmentWorker(
        provider, worker_id="test", concurrency=1, deadline_seconds=30, settings=EnrichSettings(), exits_when_idle=True
    )
    gc.unfreeze()

    await run_with_listener(worker, provider, name="test")

    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 10_000
    await database.reaches(item, Status.READY_TO_CONFIRM)

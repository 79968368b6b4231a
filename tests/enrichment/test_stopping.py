"""How a worker ends: by request, or because nothing is due."""

import asyncio
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enrichment.errors import ProviderUnavailable
from enrichment.worker import PROVIDER_DOWN
from items.models import Item
from items.states import Outcome, Status
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import PATIENCE_SECONDS, until
from tests.plugins.worker import Database, WorkerMaker


async def test_drain_finishes_items_in_flight_and_claims_no_more(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["first"] = [answer]

    async with working(provider) as worker:
        (first,) = await database.capture(owner, "first")
        await until(lambda: provider.running == 1)
        worker.drain()
        # A claim in progress may still take items.
        await worker._claim_session.fetch("SELECT 1", {})
        (second,) = await database.capture(owner, "second")
        answer.set()
        await database.reaches(first, Status.READY_TO_CONFIRM)

    second = await database.read(second)
    assert (second.status, second.attempt_count) == (Status.ENRICHING, 0)
    assert provider.calls == ["first"]


async def test_released_item_is_claimed_by_a_peer_without_cost(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]
    peer = ScriptedProvider()

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
    released = await database.read(item)
    async with working(peer, worker_id="peer"):
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert (released.status, released.attempt_count, released.claimed_by) == (Status.ENRICHING, 0, None)
    assert released.available_at <= timezone.now()
    assert await database.outcomes(item) == [(Outcome.RELEASED, None), (Outcome.SUCCEEDED, None)]


async def test_worker_exits_when_nothing_is_due(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    later, *due = await database.capture(owner, "later", "a", "b", "c", "d", "e")
    await database.run(
        lambda: Item.objects.filter(pk=later.pk).update(available_at=timezone.now() + timedelta(hours=1))
    )

    async with asyncio.timeout(PATIENCE_SECONDS), working(provider, exits_when_idle=True, listens=False):
        for item in due:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert sorted(provider.calls) == ["a", "b", "c", "d", "e"]


async def test_drain_ends_in_an_outage_and_says_so(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = [f"text {number}" for number in range(20)]
    provider.script = {text: [ProviderUnavailable()] * 9 for text in texts}
    await database.capture(owner, *texts)

    async with asyncio.timeout(PATIENCE_SECONDS), working(provider, exits_when_idle=True, listens=False):
        await until(lambda: "worker.gave_up" in caplog.text)

    waiting = await database.run(Item.objects.filter(status=Status.ENRICHING, claimed_by=None).count)
    assert (waiting, PROVIDER_DOWN in caplog.text) == (20, True)


async def test_worker_stops_after_max_items(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    await database.capture(owner, *[f"text {number}" for number in range(5)])

    async with working(provider, max_items=2):
        await database.until(lambda: Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 2)

    assert len(provider.calls) == 2

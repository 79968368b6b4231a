"""A lease is kept while the call runs, and a worker that lost it stops."""

import asyncio
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from items.models import Item
from items.states import Outcome, Status
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker

QUICK_LEASE = {"lease_seconds": 1, "sweep_seconds": 0.2}


async def test_lease_is_renewed_while_the_call_runs(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    lease = {"lease_seconds": 6, "sweep_seconds": 0.2}

    async with working(provider, enrich=lease), working(provider, worker_id="peer", enrich=lease):
        (item,) = await database.capture(owner, "text")
        await database.until(lambda: Item.objects.filter(pk=item.pk, claimed_by__isnull=False).exists())
        claimed = await database.read(item)
        await database.until(
            lambda: Item.objects.get(pk=item.pk).available_at > claimed.available_at + timedelta(seconds=1)
        )
        answer.set()
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert [attempt.worker for attempt in await database.attempts(item)] == [claimed.claimed_by]


async def test_worker_that_lost_its_lease_stops_working_on_the_item(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, enrich=QUICK_LEASE):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(
            lambda: Item.objects.filter(pk=item.pk).update(
                fencing_token=99, claimed_by="peer", available_at=timezone.now() + timedelta(hours=1)
            )
        )
        await until(lambda: provider.cancelled == ["text"])

    item = await database.read(item)
    assert (item.status, item.claimed_by) == (Status.ENRICHING, "peer")


async def test_late_result_of_a_lost_lease_is_accounted_for(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    # A listener that connects has the leases renewed, which would show the loss before the result does.
    async with working(provider, listens=False) as worker:
        (item,) = await database.capture(owner, "text")
        worker.wake()
        await until(lambda: provider.running == 1)
        await database.run(lambda: Item.objects.filter(pk=item.pk).update(fencing_token=99, claimed_by="peer"))
        answer.set()
        await database.until(item.attempts.exists)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.model) == (Outcome.STALE, "scripted")
    assert (attempt.prompt_tokens, attempt.completion_tokens) == (7, 3)
    assert (await database.read(item)).title is None

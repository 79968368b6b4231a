"""The worker and an item that its owner discards."""

import asyncio
from collections.abc import Sequence

from django.contrib.auth.models import User

from enrichment.errors import Interrupted
from enrichment.schemas import EnrichmentResult
from items.states import Outcome, Status
from tests.enrichment.scripted import SPENT, ScriptedProvider
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker


async def test_discarded_item_is_not_enriched(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    discarded, kept = await database.capture(owner, "discarded", "kept")
    await database.run(discarded.discard)

    async with working(provider):
        await database.reaches(kept, Status.READY_TO_CONFIRM)

    assert provider.calls == ["kept"]
    assert await database.attempts(discarded) == []


async def test_discard_cancels_the_call_in_flight(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        await until(lambda: provider.cancelled == ["text"])
        await database.until(item.attempts.exists)

    item = await database.read(item)
    assert (item.status, item.title) == (Status.DISCARDED, None)
    assert await database.outcomes(item) == [(Outcome.CANCELLED, None)]


class PaidProvider(ScriptedProvider):
    """Has already had a useless reply when it is cancelled."""

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        try:
            return await super().enrich_item(text, vocabulary=vocabulary)
        except asyncio.CancelledError:
            pass
        raise Interrupted(SPENT)


async def test_replies_before_a_discard_are_accounted_for(
    owner: User, database: Database, working: WorkerMaker
) -> None:
    provider = PaidProvider()
    provider.script["text"] = [asyncio.Event()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        await database.until(item.attempts.exists)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.prompt_tokens, attempt.cost_usd) == (Outcome.CANCELLED, 900, SPENT.cost_usd)
    assert (await database.read(item)).status == Status.DISCARDED


async def test_result_is_dropped_when_item_was_discarded(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    # Without a listener the worker misses the discard, and the reply arrives.
    async with working(provider, listens=False, enrich={"sweep_seconds": 0.1}):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        answer.set()
        await database.until(item.attempts.exists)

    item = await database.read(item)
    assert (item.status, item.title) == (Status.DISCARDED, None)
    assert await database.outcomes(item) == [(Outcome.STALE, None)]


async def test_missed_discard_is_found_after_a_reconnect(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, listens=False, enrich={"lease_seconds": 3600}) as worker:
        (item,) = await database.capture(owner, "text")
        worker.wake()
        await until(lambda: provider.running == 1)
        await database.run(item.discard)

        worker.on_health(True)

        await until(lambda: provider.cancelled == ["text"])

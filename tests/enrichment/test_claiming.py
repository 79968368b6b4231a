"""When a worker claims, and how many items."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items import queue
from items.claims import Claim
from items.models import Item
from items.states import Status
from postgres.session import Fetch
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import until
from tests.items.other_connection import other_connection
from tests.plugins.worker import Database, WorkerMaker


async def test_slots_unused_by_one_owner_are_filled_by_another(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    texts = [f"text {number}" for number in range(10)]
    provider.script = {text: [gate] for text in texts}
    await database.capture(owner, texts[0])
    await database.capture(stranger, *texts[1:])

    async with working(provider, concurrency=6, listens=False, enrich={"sweep_seconds": 3600}):
        await until(lambda: provider.running == 6)
        calls = list(provider.calls)
        gate.set()

    assert len(calls) == 6
    assert texts[0] in calls, "the other owner's items take all slots but one"


async def test_locked_item_is_claimed_soon_after_it_is_unlocked(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    held = await database.capture(owner, "held", "held, too")
    (free,) = await database.capture(stranger, "free")

    with other_connection(autocommit=False) as other:
        other.execute("SELECT FROM items WHERE owner_id = %s FOR UPDATE", [owner.pk])
        async with working(provider, listens=False, enrich={"sweep_seconds": 3600}):
            await database.reaches(free, Status.READY_TO_CONFIRM)
            other.commit()
            for item in held:
                await database.reaches(item, Status.READY_TO_CONFIRM)


async def test_item_that_becomes_due_before_the_wait_is_claimed(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (item,) = await database.capture(owner, "some text")
    await database.run(lambda: put_off(item, seconds=3600))
    query = queue.next_due_in

    async def become_due_before(fetch: Fetch) -> tuple[float | None, bool]:
        monkeypatch.setattr(queue, "next_due_in", query)
        await database.run(lambda: put_off(item, seconds=-1))
        return await query(fetch)

    monkeypatch.setattr(queue, "next_due_in", become_due_before)

    async with working(provider, listens=False, enrich={"sweep_seconds": 3600}):
        await database.reaches(item, Status.READY_TO_CONFIRM)


async def test_free_slots_are_claimed_for_in_batches(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"text {number}" for number in range(60)]
    gates = {text: asyncio.Event() for text in texts}
    provider.script = {text: [gate] for text, gate in gates.items()}
    items = await database.capture(owner, *texts)
    rooms: list[int] = []
    monkeypatch.setattr(queue, "claim", noting(rooms, queue.claim))

    async with working(provider, concurrency=40, listens=False):
        await until(lambda: provider.running == 40)
        for item in items[:16]:
            gates[item.raw_text].set()
            await database.reaches(item, Status.READY_TO_CONFIRM)
            await until(lambda: provider.running == 40)

    assert sum(room < 40 for room in rooms) >= 6, "it claimed as slots became free"
    assert min(rooms) == 2, "four are claimed ahead, and when two are left, it claims again"


async def test_notification_during_a_claim_leads_to_the_next_claim(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries: list[str] = []
    claim, next_due_in = queue.claim, queue.next_due_in

    async def claim_and_be_notified(fetch: Fetch, limit: int, **options: Any) -> list[Claim]:
        queries.append("claim")
        claims = await claim(fetch, limit, **options)
        if claims:
            worker.wake()
        return claims

    async def note(fetch: Fetch) -> tuple[float | None, bool]:
        queries.append("next due")
        return await next_due_in(fetch)

    monkeypatch.setattr(queue, "claim", claim_and_be_notified)
    monkeypatch.setattr(queue, "next_due_in", note)
    gate = asyncio.Event()
    provider.script = {"some text": [gate]}
    await database.capture(owner, "some text")

    async with working(provider, listens=False, enrich={"sweep_seconds": 3600}) as worker:
        await until(lambda: "next due" in queries)
        gate.set()

    assert queries[:3] == ["claim", "claim", "next due"]


@pytest.mark.parametrize(("text_length", "number"), [(1_000, 66), (160_000, 66), (1_000_000, 50), (20_000_000, 50)])
async def test_claim_is_limited_by_the_length_of_texts(
    text_length: int,
    number: int,
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (item,) = await database.capture(owner, "some text")
    rooms: list[int] = []
    monkeypatch.setattr(queue, "claim", noting(rooms, queue.claim))

    async with working(provider, concurrency=60, listens=False, text_length=text_length):
        await database.reaches(item, Status.READY_TO_CONFIRM)

    assert max(rooms) == number


def noting(rooms: list[int], claim: Callable[..., Awaitable[list[Claim]]]) -> Callable[..., Awaitable[list[Claim]]]:
    async def claim_and_note(fetch: Fetch, limit: int, **options: Any) -> list[Claim]:
        rooms.append(limit)
        return await claim(fetch, limit, **options)

    return claim_and_note


def put_off(item: Item, *, seconds: float) -> None:
    Item.objects.filter(pk=item.pk).update(available_at=timezone.now() + timedelta(seconds=seconds))

"""What workers do while staff have paused enrichment."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User

from items import queue
from items.claims import Claim
from items.pauses import pause_enrichment, resume_enrichment
from items.states import Status
from postgres.session import Fetch
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker


class Claims:
    """Counts the claims of a worker that have begun and ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.ended = 0
        self._claim = queue.claim
        monkeypatch.setattr(queue, "claim", self._count)

    async def _count(self, fetch: Fetch, limit: int, **options: Any) -> list[Claim]:
        self.begun += 1
        claims = await self._claim(fetch, limit, **options)
        self.ended += 1
        return claims


async def test_calls_in_flight_finish_and_others_wait(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = asyncio.Event()
    provider.script = {"in flight": [gate]}
    (in_flight,) = await database.capture(owner, "in flight")
    claims = Claims(monkeypatch)

    async with working(provider, enrich={"sweep_seconds": 3600}) as worker:
        await until(lambda: provider.running == 1)
        await database.run(pause_enrichment)
        (waiting,) = await database.capture(owner, "waiting")
        begun = claims.begun
        worker.wake()
        await until(lambda: claims.ended > begun)
        gate.set()
        await database.reaches(in_flight, Status.READY_TO_CONFIRM)
        while_paused = await database.read(waiting)
        await database.run(resume_enrichment)
        await database.reaches(waiting, Status.READY_TO_CONFIRM)

    assert (while_paused.status, while_paused.attempt_count) == (Status.ENRICHING, 0)
    assert provider.calls == ["in flight", "waiting"]

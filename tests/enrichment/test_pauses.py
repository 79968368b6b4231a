"""What workers do while staff have paused enrichment."""

import asyncio

from django.contrib.auth.models import User

from items.pauses import pause_enrichment, resume_enrichment
from items.states import Status
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker


async def test_calls_in_flight_finish_and_others_wait(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.script = {"in flight": [gate]}
    (in_flight,) = await database.capture(owner, "in flight")

    async with working(provider, enrich={"sweep_seconds": 3600}) as worker:
        await until(lambda: provider.running == 1)
        await database.run(pause_enrichment)
        (waiting,) = await database.capture(owner, "waiting")
        worker.wake()
        gate.set()
        await database.reaches(in_flight, Status.READY_TO_CONFIRM)
        while_paused = await database.read(waiting)
        await database.run(resume_enrichment)
        await database.reaches(waiting, Status.READY_TO_CONFIRM)

    assert (while_paused.status, while_paused.attempt_count) == (Status.ENRICHING, 0)
    assert provider.calls == ["in flight", "waiting"]

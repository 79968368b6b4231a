"""After any database error the worker waits, unless the error refuses the draft itself."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from structlog.testing import capture_logs

from enrichment.config import EnrichSettings
from enrichment.worker import EnrichmentWorker
from items.states import Outcome, Status
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker
from tests.raising import CANARY, DATA, LATER, raising

WRITING = {"on": "UPDATE ON items", "when": "NEW.status = 'READY_TO_CONFIRM'"}
CLAIMING = {"on": "UPDATE ON items", "when": "OLD.claimed_by IS NULL AND NEW.claimed_by IS NOT NULL"}


class Raising:
    """The block of `raising`, from inside an event loop."""

    def __init__(self, database: Database, sqlstate: str, **options: object) -> None:
        self._database = database
        self._block = raising(sqlstate, **options)  # type: ignore[arg-type]  # the test's own

    async def __aenter__(self) -> None:
        await self._database.run(self._block.__enter__)

    async def __aexit__(self, *_error: object) -> None:
        await self._database.run(lambda: self._block.__exit__(None, None, None))


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enrichment.worker.DATABASE_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize("sqlstate", LATER)
async def test_draft_is_written_once_the_database_recovers(
    sqlstate: str, owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    async with Raising(database, sqlstate, times=1, **WRITING), working(provider):
        (item,) = await database.capture(owner, "some text")

        await database.reaches(item, Status.READY_TO_CONFIRM)

    assert await database.outcomes(item) == [(Outcome.SUCCEEDED, None)]
    assert provider.calls == ["some text"]


@pytest.mark.parametrize("sqlstate", DATA)
async def test_draft_that_the_database_refuses_fails_its_item(
    sqlstate: str, owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    async with Raising(database, sqlstate, **WRITING), working(provider):
        (item,) = await database.capture(owner, "some text")

        item = await database.reaches(item, Status.FAILED)

    assert CANARY not in str(item.enrichment_error)
    assert provider.calls == ["some text"]


@pytest.mark.parametrize("sqlstate", [*DATA, *LATER])
async def test_claims_are_repeated_until_the_database_recovers(
    sqlstate: str, owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    async with Raising(database, sqlstate, times=3, **CLAIMING):
        (item,) = await database.capture(owner, "some text")
        with capture_logs() as logs:
            async with working(provider):
                await database.reaches(item, Status.READY_TO_CONFIRM)

    failures = [event for event in logs if event["event"] == "claim.failed"]
    assert len(failures) == 1, "it is logged once"
    assert CANARY not in str(failures)
    assert await database.outcomes(item) == [(Outcome.SUCCEEDED, None)]


async def test_worker_says_once_that_the_schema_is_missing(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    """As a listener that starts before `migrate`."""
    (item,) = await database.capture(owner, "some text")
    await database.run(lambda: rename("items_claim", "gone"))
    with capture_logs() as logs:
        async with working(provider):
            await until(lambda: any(event["event"] == "claim.failed" for event in logs))
            await database.run(lambda: rename("gone", "items_claim"))
            await database.reaches(item, Status.READY_TO_CONFIRM)

    (failure,) = [event for event in logs if event["event"] == "claim.failed"]
    assert failure["cause"] == "UndefinedFunction"
    assert failure["sentence"].endswith("Run: manage.py migrate")


@pytest.mark.parametrize("option", [{"max_items": 1}, {"exits_when_idle": True}])
async def test_worker_does_not_end_before_its_drafts_are_written(
    option: dict[str, Any], owner: User, database: Database, provider: ScriptedProvider
) -> None:
    (item,) = await database.capture(owner, "some text")
    worker = EnrichmentWorker(
        provider, settings=EnrichSettings(), worker_id="test", concurrency=1, deadline_seconds=30, **option
    )
    async with Raising(database, "25006", **WRITING):
        running = asyncio.create_task(worker.run())
        await until(lambda: worker._writer.is_delayed)
        has_ended = running.done()
    await running

    item = await database.read(item)
    assert not has_ended
    assert item.status == Status.READY_TO_CONFIRM


def rename(function: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER FUNCTION {function} RENAME TO {name}")

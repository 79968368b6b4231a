"""The bell that says that verdicts were written: outside of their transactions, and seldom."""

import asyncio

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from enrichment import verdicts
from enrichment.bell import PAUSE_SECONDS, Bell
from items import queue
from items.changes import CHANNEL_CHANGED, ring_changed
from items.claims import Claim, Verdict
from items.models import Item
from items.states import Status
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.enrichment.waiting import until
from tests.items.factories import RAW_TEXT, make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim
from tests.plugins.worker import Database, WorkerMaker


class Rung:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def test_first_ring_is_at_once_and_many_that_follow_are_one(database: Database) -> None:
    rung = Rung()
    bell = Bell(database._thread, ring=rung)
    running = asyncio.create_task(bell.run())

    bell.ring()
    await until(lambda: rung.times == 1)
    began = asyncio.get_running_loop().time()
    for _ in range(1000):
        bell.ring()
    await until(lambda: rung.times == 2)

    assert asyncio.get_running_loop().time() - began > PAUSE_SECONDS / 2
    running.cancel()


async def test_what_was_written_last_is_rung_for_at_the_end(database: Database) -> None:
    rung = Rung()
    bell = Bell(database._thread, ring=rung)

    bell.ring()
    await bell.ring_if_asked()
    await bell.ring_if_asked()

    assert rung.times == 1


async def test_database_that_is_away_is_not_the_bells_concern(database: Database) -> None:
    def fail() -> None:
        raise OperationalError

    bell = Bell(database._thread, ring=fail)

    bell.ring()
    await bell.ring_if_asked()


async def test_worker_rings_after_its_verdicts(owner: User, database: Database, working: WorkerMaker) -> None:
    (item,) = await database.capture(owner, RAW_TEXT)
    with other_connection() as ear:
        ear.execute(f"LISTEN {CHANNEL_CHANGED}")
        async with working(ScriptedProvider()):
            await database.reaches(item, Status.READY_TO_CONFIRM)

        assert [notification.payload for notification in ear.notifies(timeout=5, stop_after=1)] == [""]


@pytest.mark.django_db(transaction=True)
class TestWritePath:
    """The transactions in which a worker claims, renews and finishes must notify nobody."""

    def heard(self, ear: psycopg.Connection) -> list[str]:
        with other_connection() as other:
            other.execute("NOTIFY last")
        notifications: list[str] = []
        for notification in ear.notifies(timeout=10):
            if notification.channel == "last":
                return notifications
            notifications.append(notification.channel)
        pytest.fail("The last notification never came.")

    def test_claim_renewal_and_verdicts_ring_nobody(self, owner: User) -> None:
        for _ in range(3):
            make_item(owner)
        with other_connection() as ear:
            for channel in (CHANNEL_CHANGED, queue.CHANNEL_ENRICHING, queue.CHANNEL_CANCELLED, "last"):
                ear.execute(f"LISTEN {channel}")
            claims = claim(3)
            queue.renew(claims, lease_seconds=60)
            queue.finish([succeeded(claim) for claim in claims])
            assert self.heard(ear) == []

    def test_what_a_person_does_rings_once_for_all_rows_of_a_transaction(self, owner: User) -> None:
        for _ in range(3):
            make_item(owner, status=Status.READY_TO_CONFIRM)
        with other_connection() as ear:
            for channel in (CHANNEL_CHANGED, "last"):
                ear.execute(f"LISTEN {channel}")
            Item.objects.all().confirm()
            assert self.heard(ear) == [CHANNEL_CHANGED]

    def test_ring_leaves_the_connection_waiting_for_the_disk_as_before(self) -> None:
        ring_changed()
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)


def succeeded(claim: Claim) -> Verdict:
    return verdicts.succeeded(claim, timezone.now(), draft())

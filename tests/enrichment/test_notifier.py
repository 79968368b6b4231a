"""Notifications of written verdicts: outside their transactions, and merged."""

import asyncio

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from enrichment import verdicts
from enrichment.notifier import PAUSE_SECONDS, Notifier
from items import queue
from items.changes import CHANNEL_CHANGED, notify_changed
from items.claims import Claim, Verdict
from items.models import Item
from items.states import Status
from postgres.session import Parameters, Row
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.enrichment.waiting import PATIENCE_SECONDS, until
from tests.items.factories import RAW_TEXT, make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import at_once, claim, fetch, finish, renew
from tests.plugins.worker import Database, WorkerMaker


class Counted:
    """Replaces the database, and counts the statements."""

    def __init__(self) -> None:
        self.times = 0

    async def fetch(self, _statement: str, _parameters: Parameters) -> list[Row]:
        self.times += 1
        return []


async def test_first_notification_is_immediate_and_later_ones_merge() -> None:
    counted = Counted()
    notifier = Notifier(counted.fetch)
    running = asyncio.create_task(notifier.run())

    notifier.request()
    await until(lambda: counted.times == 1)
    began = asyncio.get_running_loop().time()
    for _ in range(1000):
        notifier.request()
    await until(lambda: counted.times == 2)

    assert asyncio.get_running_loop().time() - began > PAUSE_SECONDS / 2
    running.cancel()


async def test_last_verdicts_are_notified_at_the_end() -> None:
    counted = Counted()
    notifier = Notifier(counted.fetch)

    notifier.request()
    await notifier.flush()
    await notifier.flush()

    assert counted.times == 1


async def test_cancelled_notification_is_sent_by_the_next_flush() -> None:
    counted = Counted()
    started = asyncio.Event()

    async def hang(_statement: str, _parameters: Parameters) -> list[Row]:
        started.set()
        return await asyncio.Future()

    notifier = Notifier(hang)
    running = asyncio.create_task(notifier.run())
    notifier.request()
    await started.wait()
    running.cancel()
    await asyncio.wait({running})

    notifier._fetch = counted.fetch
    await notifier.flush()

    assert counted.times == 1


async def test_notifier_survives_an_absent_database() -> None:
    async def fail(_statement: str, _parameters: Parameters) -> list[Row]:
        raise psycopg.OperationalError

    notifier = Notifier(fail)

    notifier.request()
    await notifier.flush()


async def test_worker_notifies_after_its_verdicts(owner: User, database: Database, working: WorkerMaker) -> None:
    (item,) = await database.capture(owner, RAW_TEXT)
    with other_connection() as listening:
        listening.execute(f"LISTEN {CHANNEL_CHANGED}")
        async with working(ScriptedProvider()):
            await database.reaches(item, Status.READY_TO_CONFIRM)

        assert [
            notification.payload for notification in listening.notifies(timeout=PATIENCE_SECONDS, stop_after=1)
        ] == [""]


@pytest.mark.django_db(transaction=True)
class TestWritePath:
    """The transactions of a worker do not notify."""

    def channels_notified(self, listening: psycopg.Connection) -> list[str]:
        with other_connection() as other:
            other.execute("NOTIFY last")
        notifications: list[str] = []
        for notification in listening.notifies(timeout=PATIENCE_SECONDS):
            if notification.channel == "last":
                return notifications
            notifications.append(notification.channel)
        pytest.fail("The last notification never came.")

    def test_claims_renewals_and_verdicts_do_not_notify(self, owner: User) -> None:
        for _ in range(3):
            make_item(owner)
        with other_connection() as listening:
            for channel in (CHANNEL_CHANGED, queue.CHANNEL_ENRICHING, queue.CHANNEL_CANCELLED, "last"):
                listening.execute(f"LISTEN {channel}")
            claims = claim(3)
            renew(claims, lease_seconds=60)
            finish([succeeded(claim) for claim in claims])
            assert self.channels_notified(listening) == []

    def test_change_by_a_person_notifies_once_per_transaction(self, owner: User) -> None:
        for _ in range(3):
            make_item(owner, status=Status.READY_TO_CONFIRM)
        with other_connection() as listening:
            for channel in (CHANNEL_CHANGED, "last"):
                listening.execute(f"LISTEN {channel}")
            Item.objects.all().confirm()
            assert self.channels_notified(listening) == [CHANNEL_CHANGED]

    def test_notification_keeps_synchronous_commit_as_it_was(self) -> None:
        at_once(notify_changed(fetch))
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)


def succeeded(claim: Claim) -> Verdict:
    return verdicts.succeeded(claim, timezone.now(), draft())

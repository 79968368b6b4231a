"""The listener with a real database, with and without notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from items.models import Item
from items.queue import CHANNEL_CANCELLED, CHANNEL_ENRICHING, LISTENER_NAME, WORKER_CHANNELS
from postgres.conninfo import listen_conninfo
from postgres.listener import Listener
from postgres.session import CuttingConnection
from tests.enrichment.waiting import until
from tests.plugins.worker import Database


class Ears:
    """Records the calls of a listener."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.health: list[bool] = []

    def hear(self, channel: str, payload: str) -> None:
        self.heard.append((channel, payload))


class ForgetfulListener(Listener):
    """Loses its registrations once, silently, as a pooler in transaction mode does."""

    is_forgetful = True

    def _report_healthy(self) -> None:
        super()._report_healthy()
        self.is_forgetful, forgets = False, self.is_forgetful
        if forgets:
            self._probe = self._forget_and_probe  # type: ignore[method-assign]

    async def _forget_and_probe(self, connection: CuttingConnection) -> None:
        del self._probe
        await connection.execute("UNLISTEN *")
        await self._probe(connection)


@asynccontextmanager
async def listening(
    ears: Ears, *, conninfo: str = "", kind: type[Listener] = Listener, **options: Any
) -> AsyncIterator[None]:
    listener = kind(
        conninfo or listen_conninfo(),
        channels=WORKER_CHANNELS,
        name=LISTENER_NAME,
        on_notification=ears.hear,
        on_health=ears.health.append,
        **options,
    )
    running = asyncio.create_task(listener.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=3)
        assert running.cancelled()


def listener_pids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [LISTENER_NAME],
        )
        return [pid for (pid,) in cursor.fetchall()]


def terminate_listeners() -> None:
    for pid in listener_pids():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


async def test_capture_is_heard(owner: User, database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.health == [True])
        await database.capture(owner, "some text")
        await until(lambda: ears.heard)

    assert ears.heard == [(CHANNEL_ENRICHING, "")]


async def test_discard_of_a_claimed_item_names_it(owner: User, database: Database) -> None:
    ears = Ears()
    (item,) = await database.capture(owner, "some text")
    await database.run(lambda: Item.objects.filter(pk=item.pk).update(claimed_by="worker", claimed_at=timezone.now()))

    async with listening(ears):
        await until(lambda: ears.health == [True])
        await database.run(item.discard)
        await until(lambda: ears.heard)

    assert ears.heard == [(CHANNEL_CANCELLED, str(item.pk))]


async def test_lost_connection_is_made_again_and_reported(owner: User, database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.health == [True])
        await database.run(terminate_listeners)
        await until(lambda: ears.health == [True, False, True])
        await database.capture(owner, "heard again")
        await until(lambda: ears.heard)


async def test_probe_finds_a_registration_that_was_lost(database: Database) -> None:
    ears = Ears()

    async with listening(ears, kind=ForgetfulListener, probe_seconds=0.2, deadline_seconds=1.5):
        await until(lambda: ears.health == [True, False, True])


async def test_address_of_another_database_is_detected(database: Database) -> None:
    ears = Ears()

    async with listening(ears, conninfo=make_conninfo(listen_conninfo(), dbname="postgres"), deadline_seconds=0.3):
        await until(lambda: ears.health)

    assert ears.health == [False]


async def test_unreachable_database_is_retried_until_cancelled() -> None:
    ears = Ears()

    async with listening(ears, conninfo="postgresql://nobody@127.0.0.1:1/none"):
        await until(lambda: ears.health)

    assert ears.health == [False]


async def test_it_leaves_no_connection_behind(database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.health == [True])
        pids = await database.run(listener_pids)

    assert len(pids) == 1
    await database.until(lambda: listener_pids() == [])

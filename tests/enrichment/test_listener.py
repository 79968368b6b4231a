"""The listener against the real database: what it hears, and what it does when it stops hearing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from enrichment.listener import Listener, listen_conninfo
from items.models import Item
from items.queue import LISTENER_NAME
from tests.enrichment.waiting import until
from tests.plugins.worker import Database


class Ears:
    """What a listener reported."""

    def __init__(self) -> None:
        self.wakes = 0
        self.cancelled: list[str] = []
        self.health: list[bool] = []

    def wake(self) -> None:
        self.wakes += 1


@asynccontextmanager
async def listening(ears: Ears, *, conninfo: str = "", **options: Any) -> AsyncIterator[Listener]:
    listener = Listener(
        conninfo or listen_conninfo(),
        on_wake=ears.wake,
        on_cancel=ears.cancelled.append,
        on_health=ears.health.append,
        **options,
    )
    running = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        listener.stop()
        async with asyncio.timeout(3):
            await running


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


async def test_capture_wakes(owner: User, database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.health == [True])
        wakes = ears.wakes
        await database.capture(owner, "some text")
        await until(lambda: ears.wakes == wakes + 1)

    assert ears.cancelled == []


async def test_start_wakes_because_items_may_be_waiting(database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.wakes)

    assert ears.health == [True]


async def test_discard_of_a_claimed_item_names_it(owner: User, database: Database) -> None:
    ears = Ears()
    (item,) = await database.capture(owner, "some text")
    await database.run(lambda: Item.objects.filter(pk=item.pk).update(claimed_by="worker", claimed_at=timezone.now()))

    async with listening(ears):
        await until(lambda: ears.health == [True])
        await database.run(item.discard)
        await until(lambda: ears.cancelled)

    assert ears.cancelled == [str(item.pk)]


async def test_lost_connection_is_made_again_and_followed_by_a_scan(owner: User, database: Database) -> None:
    ears = Ears()

    async with listening(ears):
        await until(lambda: ears.health == [True])
        wakes = ears.wakes
        await database.run(terminate_listeners)
        await until(lambda: ears.health == [True, False, True])
        assert ears.wakes > wakes
        wakes = ears.wakes
        await database.capture(owner, "heard again")
        await until(lambda: ears.wakes > wakes)


async def test_probe_finds_a_registration_that_was_lost(database: Database) -> None:
    ears = Ears()

    async with listening(ears, probe_seconds=0.2, deadline_seconds=0.3) as listener:
        await until(lambda: ears.health == [True])
        # What a pooler in transaction mode does to every LISTEN, without a word.
        assert listener._connection is not None
        await listener._connection.execute("UNLISTEN *")
        await until(lambda: ears.health == [True, False, True])


async def test_address_of_another_database_is_found_out_because_nobody_rings_there(database: Database) -> None:
    ears = Ears()

    async with listening(ears, conninfo=make_conninfo(listen_conninfo(), dbname="postgres"), deadline_seconds=0.3):
        await until(lambda: ears.health)

    assert ears.health == [False]


async def test_database_that_is_away_is_tried_again_until_told_to_stop() -> None:
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

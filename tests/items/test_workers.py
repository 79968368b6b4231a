"""Installations that share a database by search_path do not count each other's listeners."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from items.queue import LISTENER_NAME, listener_name
from items.workers import listening_workers
from postgres.conninfo import database_conninfo
from postgres.listener import Listener, name_in
from tests.enrichment.waiting import until
from tests.items.other_connection import other_connection
from tests.plugins.worker import Database

SCHEMA = "other_vault"


@pytest.fixture
def other_schema(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection of the other installation."""
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{SCHEMA}"')
    with other_connection() as other:
        other.execute(f"SET search_path = {SCHEMA}")
        yield other
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{SCHEMA}" CASCADE')


def test_listeners_are_counted_by_schema(other_schema: psycopg.Connection) -> None:
    with (
        other_connection(name=listener_name("ours")),
        other_connection(name=name_in("other_vault", listener_name("theirs"))),
    ):
        ours = [worker.id for worker in listening_workers(connection)]
        theirs = [worker.id for worker in listening_workers(other_schema)]

    assert (ours, theirs) == (["ours"], ["theirs"])


@pytest.mark.parametrize(
    ("schema", "name"), [("public", f"{LISTENER_NAME} attic-7"), ("vault", f"{LISTENER_NAME}/vault attic-7")]
)
def test_name_has_the_schema_unless_it_is_the_usual_one(schema: str, name: str) -> None:
    assert name_in(schema, listener_name("attic-7")) == name


async def test_listener_takes_the_schema_of_the_items(
    other_schema: psycopg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = make_conninfo(database_conninfo(), options="-c search_path=other_vault")
    monkeypatch.setattr("postgres.session.database_conninfo", lambda: conninfo)
    health: list[bool] = []
    listener = Listener(
        conninfo, channels=["x"], name=listener_name("theirs"), on_notification=print, on_health=health.append
    )

    running = asyncio.create_task(listener.run())
    await until(lambda: health == [True])
    theirs = listening_workers(other_schema)
    ours = await database.run(lambda: listening_workers(connection))
    running.cancel()

    assert [worker.id for worker in theirs] == ["theirs"]
    assert ours == []

"""The application name of a listener in pg_stat_activity."""

import pytest
from django.db import connection

from items.queue import LISTENER_NAME, listener_name
from tests.items.other_connection import other_connection

ROOM = 63 - len("litevault-listener ")


@pytest.mark.parametrize(
    ("worker", "shown"),
    [
        ("host-1", "host-1"),
        ("x" * ROOM, "x" * ROOM),
        ("y" + "x" * ROOM, "x" * ROOM),
        ("Zürich-1", "Z?rich-1"),
    ],
)
def test_listener_name_contains_the_worker_in_ascii(worker: str, shown: str) -> None:
    assert listener_name(worker) == f"litevault-listener {shown}"


@pytest.mark.django_db(transaction=True)
def test_database_does_not_shorten_the_longest_name() -> None:
    name = listener_name("x" * 100)

    with other_connection(name=name), connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE %s", [f"{LISTENER_NAME}%"]
        )
        names = cursor.fetchall()

    assert names == [(name,)]

"""A second connection to the same database, outside of Django, with autocommit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
import pytest
from django.db import connection


@contextmanager
def other_connection(*, autocommit: bool = True, name: str | None = None) -> Iterator[psycopg.Connection]:
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        autocommit=autocommit,
        application_name=name,
    ) as other:
        yield other


def and_disconnect(work: Callable[[], Any]) -> Any:
    """Do this in a thread, and close the connection that Django opened for the thread."""
    try:
        return work()
    finally:
        connection.close()


def until_somebody_waits() -> None:
    """Return once a session waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = monotonic() + 10
    with other_connection() as looking:
        while monotonic() < deadline:
            if looking.execute(waiting).fetchone():
                return
    pytest.fail("Nothing waits for the lock.")

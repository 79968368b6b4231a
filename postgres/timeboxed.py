"""Synchronous queries with a hard deadline: the sibling of postgres.session."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from postgres.conninfo import database_conninfo
from postgres.hosts import connect

T = TypeVar("T")

DEADLINE_SECONDS = 3.0
CONCURRENT_QUERIES = threading.BoundedSemaphore(4)
CONNECTION_NAME = "litevault-health"


class DatabaseUnavailable(Exception):
    """The database did not respond before the deadline, or not at all."""


def run_query(query: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Call `query` with a new connection, outside the pool. Raises DatabaseUnavailable after DEADLINE_SECONDS.

    A dead socket can block a thread for minutes in spite of any timeout. So a late thread is abandoned: it is a daemon,
    and the number of threads is limited.
    """
    results: list[T] = []
    thread = threading.Thread(target=_run, args=(query, database_conninfo(), results), daemon=True)
    if not CONCURRENT_QUERIES.acquire(blocking=False):
        raise DatabaseUnavailable
    thread.start()
    thread.join(DEADLINE_SECONDS)
    if not results:
        raise DatabaseUnavailable
    return results[0]


def _run(query: Callable[[psycopg.Connection[Any]], T], conninfo: str, results: list[T]) -> None:
    try:
        open_connection = partial(psycopg.connect, application_name=CONNECTION_NAME)
        parameters = conninfo_to_dict(conninfo)
        with connect(open_connection, parameters, deadline_seconds=DEADLINE_SECONDS) as connection:
            # In the transaction, not as a connection option, which PgBouncer refuses.
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{DEADLINE_SECONDS}s"])
            results.append(query(connection))
    except psycopg.Error:
        pass  # the caller sees that there is no result; the message stays in this thread
    finally:
        CONCURRENT_QUERIES.release()

"""Synchronous queries with a hard deadline: the sibling of postgres.session."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict

from postgres.conninfo import database_conninfo
from postgres.hosts import connect

logger = structlog.get_logger(__name__)

T = TypeVar("T")

DEADLINE_SECONDS = 3.0
CONCURRENT_QUERIES = threading.BoundedSemaphore(4)
CONNECTION_NAME = "litevault-health"
SHARED_SECONDS = 2.0
FOLLOW_SECONDS = 1.0


class DatabaseUnavailable(Exception):
    """The database did not respond before the deadline, or not at all."""


class Shared(Generic[T]):
    """One result of `fetch` for all who ask within SHARED_SECONDS of its start, even if it is an exception.

    Meanwhile the others wait, but only for FOLLOW_SECONDS, so that no more than one thread waits for a silent database.
    """

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._result: Future[T] | None = None
        self._started_at = -math.inf

    def get(self) -> T:
        """Raises DatabaseUnavailable."""
        with self._lock:
            is_old = time.monotonic() - self._started_at >= SHARED_SECONDS
            is_first = self._result is None or (is_old and self._result.done())
            if is_first or self._result is None:
                self._result, self._started_at = Future(), time.monotonic()
            result, follow_until = self._result, self._started_at + FOLLOW_SECONDS
        if is_first:
            self._fetch_into(result)
        try:
            return result.result(timeout=max(0.0, follow_until - time.monotonic()))
        except TimeoutError:
            raise DatabaseUnavailable from None

    def _fetch_into(self, result: Future[T]) -> None:
        try:
            result.set_result(self._fetch())
        except BaseException as error:
            result.set_exception(error)


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
    except Exception:  # a bug: else Python would print the message
        logger.exception("query.crashed")
    finally:
        CONCURRENT_QUERIES.release()

"""Questions to the database that are answered within seconds, or not at all. The synchronous sibling of session."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from postgres.conninfo import database_conninfo

T = TypeVar("T")

DEADLINE_SECONDS = 3.0
QUESTIONS_AT_ONCE = threading.BoundedSemaphore(4)
CONNECTION_NAME = "litevault-health"


class Unanswered(Exception):
    """The database did not answer in time, or not at all."""


def ask(question: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Ask over a new connection, outside of the pool, under a hard deadline. Raises Unanswered.

    A dead socket can hold a thread for minutes, whatever time limit it was given. So a thread that is
    late is left behind, as a daemon that nobody waits for, and only a few may be behind at a time.
    """
    answers: list[T] = []
    asking = threading.Thread(target=_ask, args=(question, database_conninfo(), answers), daemon=True)
    if not QUESTIONS_AT_ONCE.acquire(blocking=False):
        raise Unanswered
    asking.start()
    asking.join(DEADLINE_SECONDS)
    if not answers:
        raise Unanswered
    return answers[0]


def _ask(question: Callable[[psycopg.Connection[Any]], T], conninfo: str, answers: list[T]) -> None:
    try:
        with psycopg.connect(
            conninfo, connect_timeout=round(DEADLINE_SECONDS), application_name=CONNECTION_NAME
        ) as connected:
            # For this transaction, not among the connection's options: PgBouncer refuses those.
            connected.execute("SELECT set_config('statement_timeout', %s, true)", [f"{DEADLINE_SECONDS}s"])
            answers.append(question(connected))
    except psycopg.Error:
        pass  # no answer is the answer, and its text must not leave this thread
    finally:
        QUESTIONS_AT_ONCE.release()

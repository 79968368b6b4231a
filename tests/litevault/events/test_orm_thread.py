"""The ORM thread abandons a silent server at the deadline, and replaces a lost connection."""

import asyncio
import gc
import time
from functools import partial
from threading import Event

import pytest
from django.db import OperationalError, connection

from litevault.events.orm_thread import OrmThread

pytestmark = pytest.mark.django_db(transaction=True)


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        return int(pid)


def sleep_long() -> None:
    with connection.cursor() as cursor:
        # Otherwise the server notices only at the end that the client has gone.
        cursor.execute("SET client_connection_check_interval = '100ms'")
        cursor.execute("SELECT pg_sleep(60)")


def end_own_backend() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def end_backend(pid: int) -> None:
    """End the connection, and wait until it is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


async def test_slow_work_is_abandoned_and_frees_the_thread() -> None:
    thread = OrmThread("test", deadline_seconds=1.5)
    await thread.run(backend_pid)
    started = time.monotonic()

    with pytest.raises(TimeoutError):
        await thread.run(sleep_long)

    assert time.monotonic() - started < 30, "the server would have taken a minute"
    assert await thread.run(backend_pid)
    await thread.close()


async def test_work_that_waits_until_the_deadline_is_never_done() -> None:
    thread = OrmThread("test", deadline_seconds=1.5)
    ended = Event()
    done: list[int] = []
    slow = asyncio.create_task(thread.run(ended.wait))

    waiting = [asyncio.create_task(thread.run(partial(done.append, number))) for number in range(2)]
    late = await asyncio.gather(slow, *waiting, return_exceptions=True)
    ended.set()

    assert await thread.run(backend_pid)
    assert [type(error) for error in late] == [TimeoutError] * 3
    assert done == []
    await thread.close()


async def test_error_of_abandoned_work_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    thread = OrmThread("test", deadline_seconds=1.5)
    ended = Event()

    def fail_late() -> None:
        ended.wait()
        raise ValueError

    with pytest.raises(TimeoutError):
        await thread.run(fail_late)
    ended.set()
    assert await thread.run(backend_pid)
    gc.collect()

    assert caplog.records == []
    await thread.close()


async def test_lost_connection_is_replaced_for_the_next_unit_of_work() -> None:
    thread = OrmThread("test", deadline_seconds=5)
    first = await thread.run(backend_pid)

    with pytest.raises(OperationalError):
        await thread.run(end_own_backend)

    assert await thread.run(backend_pid) != first
    await thread.close()


async def test_connection_ended_between_units_of_work_is_replaced() -> None:
    thread, other = OrmThread("test", deadline_seconds=5), OrmThread("other", deadline_seconds=10)
    ended = await thread.run(backend_pid)

    await other.run(partial(end_backend, ended))

    assert await thread.run(backend_pid) != ended
    await thread.close()
    await other.close()


async def test_connection_is_kept_between_units_and_closed_at_the_end() -> None:
    thread = OrmThread("test", deadline_seconds=5)

    first, second = await thread.run(backend_pid), await thread.run(backend_pid)
    await thread.close()

    assert first == second
    watcher = OrmThread("watcher", deadline_seconds=5)
    deadline = time.monotonic() + 5
    while await watcher.run(lambda: is_alive(first)):
        assert time.monotonic() < deadline
    await watcher.close()


def is_alive(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [pid])
        (alive,) = cursor.fetchone()
        return bool(alive)

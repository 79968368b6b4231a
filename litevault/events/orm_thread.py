"""One thread for work with Django's ORM, so that the event loop never waits for the database without a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.db import Error, close_old_connections, connection, connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper

from postgres.sockets import cut, is_quiet

Result = TypeVar("Result")

CLOSE_SECONDS = 1.0


class OrmThread:
    """A thread with its own connection, and a deadline on every unit of work."""

    def __init__(self, name: str, *, deadline_seconds: float) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._deadline_seconds = deadline_seconds
        self._connection: BaseDatabaseWrapper | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in the thread. Raises TimeoutError, and cuts the connection, when it takes too long.

        The work may then have been done, or not. It is not done if it has not begun.
        """
        return await self._run_within(self._deadline_seconds, work)

    async def close(self) -> None:
        """Close the connection and end the thread. Work that still waits for a silent database is cut off."""
        with suppress(Error, TimeoutError):
            await self._run_within(CLOSE_SECONDS, connections.close_all)
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run_within(self, seconds: float, work: Callable[[], Result]) -> Result:
        future = asyncio.get_running_loop().run_in_executor(self._executor, self._do, work)
        await asyncio.wait({future}, timeout=seconds)
        if future.done():
            return future.result()
        future.cancel()  # drops work that has not begun, and otherwise its result
        if self._connection is not None:
            cut(self._connection.connection)
        raise TimeoutError

    def _do(self, work: Callable[[], Result]) -> Result:
        # After a restart of the server every query fails until the broken connection is dropped.
        # In debug mode Django remembers queries, with the texts in them, until it is told to forget.
        close_old_connections()
        reset_queries()
        self._connection = connections[connection.alias]
        if is_quiet(self._connection.connection):
            # Asking whether it is there would cost a round trip, for each unit of work.
            self._connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs lack it
        try:
            return work()
        finally:
            close_old_connections()

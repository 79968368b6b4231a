"""The connection that claims: the event loop's own, because a start would feel how long a thread takes to wake up."""

import asyncio
from typing import Any, TypeAlias

import psycopg
from django.db import connection as django

from enrichment.database import DatabaseTimeout, conninfo
from enrichment.sockets import cut, is_quiet
from items.queue import Parameters, Row

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]


class ClaimConnection:
    """Made when it is needed, made again when it was lost, with a deadline on everything that is asked.

    It is asked one statement at a time.
    """

    def __init__(self, *, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._connection: Connection | None = None

    async def fetch(self, statement: str, parameters: Parameters) -> list[Row]:
        """Return the rows. Raises what Django's own connection would, and DatabaseTimeout.

        When it takes too long the connection is cut. What was asked may then have been done, or not.
        """
        with django.wrap_database_errors:
            connection = await self._connected()
            # To cancel instead would ask the silent server to cancel, too, and hang.
            deadline = asyncio.get_running_loop().call_later(self._deadline_seconds, cut, connection)
            try:
                cursor = await connection.execute(statement, parameters)
                return await cursor.fetchall()
            finally:
                deadline.cancel()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> Connection:
        # One that the server has ended meanwhile has something to say, which nobody asked for.
        if self._connection is None or not is_quiet(self._connection):
            await self.close()
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                # Nothing is prepared: a pooler gives each statement to another session.
                return await psycopg.AsyncConnection.connect(conninfo(), autocommit=True, prepare_threshold=None)
        except TimeoutError:
            raise DatabaseTimeout from None

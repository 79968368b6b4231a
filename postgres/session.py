"""An async database connection with a deadline on everything that waits for the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import psycopg

from postgres import hosts
from postgres.conninfo import READ_COMMITTED, database_conninfo
from postgres.hosts import connect_async, has_moved
from postgres.sockets import cut, is_quiet
from postgres.sqlstates import is_read_only
from postgres.transactions import limit_idle

Parameters: TypeAlias = Mapping[str, Any]
Row: TypeAlias = tuple[Any, ...]

Fetch: TypeAlias = Callable[[str, Parameters], Awaitable[list[Row]]]
"""Runs one statement, and returns its rows."""

Transaction: TypeAlias = Callable[[], AbstractAsyncContextManager[Fetch]]
"""Opens a transaction, which is committed at the end of the block unless an exception leaves it."""


class DatabaseTimeout(psycopg.OperationalError):
    """The database did not answer before the deadline. The statement may have been executed, or not."""


class CuttingConnection(psycopg.AsyncConnection[Row]):
    """A connection that is cut when the task that waits for it is cancelled, as by asyncio.timeout()."""

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # psycopg's signature
        """Shut down the socket instead of sending a cancel request to a silent server. psycopg then closes it."""
        cut(self)


class Session:
    """Connects when needed, and reconnects when the connection was lost. Tasks that share a session take turns.

    Raises psycopg.Error: DatabaseTimeout when the deadline has passed. The connection is then cut.
    """

    def __init__(self, *, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._connection: CuttingConnection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, statement: str, parameters: Parameters) -> list[Row]:
        """Run one statement in its own transaction, and return its rows."""
        async with self._connected() as connection:
            return await fetch(connection, statement, parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Fetch]:
        """Run the statements of the block in one transaction. The deadline covers the whole block."""
        async with self._connected() as connection:
            await connection.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED; " + limit_idle(self._deadline_seconds))
            yield partial(fetch, connection)
            if has_moved(connection):
                raise psycopg.OperationalError("the host has changed")
            await connection.execute("COMMIT")

    async def close(self) -> None:
        """Close the connection. A statement that is still waiting for the server is cut off."""
        if self._turn.locked():
            cut(self._connection)
        async with self._turn:
            await self._disconnect()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[CuttingConnection]:
        try:
            async with asyncio.timeout(self._deadline_seconds), self._turn:
                try:
                    yield await self._connect()
                except BaseException as error:
                    if is_read_only(error):
                        hosts.forget()
                    # ROLLBACK would wait for the server again. Closing the connection rolls back, too.
                    await self._disconnect()
                    raise
        except TimeoutError:
            raise DatabaseTimeout from None

    async def _connect(self) -> CuttingConnection:
        # A server that ended the connection has sent a message.
        if self._connection is None or not is_quiet(self._connection) or has_moved(self._connection):
            await self._disconnect()
            # No prepared statements: a pooler gives each transaction another server session.
            connect = partial(CuttingConnection.connect, autocommit=True, prepare_threshold=None)
            deadline = self._deadline_seconds
            self._connection = await connect_async(connect, database_conninfo(), deadline_seconds=deadline)
            await self._connection.execute(READ_COMMITTED)
        return self._connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def fetch(connection: CuttingConnection, statement: str, parameters: Parameters) -> list[Row]:
    cursor = await connection.execute(statement, parameters)
    return await cursor.fetchall() if cursor.description else []

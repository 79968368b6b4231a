"""Receives the database's notifications with LISTEN.

A notification is only a doorbell: losing one costs latency and nothing else. So callbacks do no work: they set an
event, or cancel a task.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial

import psycopg
import structlog
from psycopg import sql

from postgres import hosts
from postgres.backoff import Backoff
from postgres.hosts import connect_async, seconds_for_all
from postgres.session import CuttingConnection, Session
from postgres.sqlstates import is_read_only

logger = structlog.get_logger(__name__)

PROBE_SECONDS = 15.0
MOVE_SECONDS = 1.0
"""How soon it follows other connections of the process to another host."""

DEADLINE_SECONDS = 5.0
DEFAULT_SCHEMA = "public"
IS_NAMED = f"""
datname = current_database() AND split_part(application_name, ' ', 1) =
%s || coalesce('/' || nullif(current_schema(), '{DEFAULT_SCHEMA}'), '')
"""
"""A condition on pg_stat_activity: the listeners of this installation, by the first word of their name."""

RECONNECT = Backoff(first_seconds=0.1, longest_seconds=10.0)


class ListenerCutOff(Exception):
    """The connection is open, but a notification of its own did not arrive in time, or the primary is another host."""


class NotificationsSwallowed(Exception):
    """LISTEN was accepted, but notifications of other sessions do not arrive.

    There is a pooler in transaction mode, or the connection string is that of another database.
    """


class Listener:
    """Holds one connection of its own, outside any pool, and always reconnects.

    `on_notification` is called with the channel and the payload. `on_health` is called with False when notifications
    stop coming in, and with True when they come in again: some may have been missed in between.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        channels: Sequence[str],
        name: str,
        on_notification: Callable[[str, str], None],
        on_health: Callable[[bool], None],
        probe_seconds: float = PROBE_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._conninfo = conninfo
        self._channels = channels
        self._name = name
        self._on_notification = on_notification
        self._on_health = on_health
        self._probe_seconds = probe_seconds
        self._deadline_seconds = deadline_seconds
        self._is_healthy: bool | None = None

    async def run(self) -> None:
        """Listen until cancelled. Reconnect after a lost connection, with growing pauses."""
        failures = 0
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._register(connection)
                    failures = 0
                    await self._listen_while_it_answers(connection)
                finally:
                    await connection.close()
            except (psycopg.Error, OSError, ListenerCutOff, NotificationsSwallowed) as error:
                if is_read_only(error):  # LISTEN is refused on a standby
                    hosts.forget()
                self._report_degraded(error)
            failures += 1
            await asyncio.sleep(RECONNECT.jittered_seconds(failures))

    async def _connect(self) -> CuttingConnection:
        deadline = max(self._deadline_seconds, seconds_for_all(self._conninfo))
        connect = partial(CuttingConnection.connect, autocommit=True)
        return await connect_async(connect, self._conninfo, deadline_seconds=deadline)

    async def _register(self, connection: CuttingConnection) -> None:
        await self._listen(connection, probe_channel(connection))
        schema = await self._probe_from_another_session(connection)
        # Not earlier: a pooler would pass the session's state on to other clients. Now the session is known to be ours.
        for channel in self._channels:
            await self._listen(connection, channel)
        await self._execute(connection, "SET idle_session_timeout = 0")
        # Other processes find listeners by this name.
        name = name_in(schema, self._name)
        await self._execute(connection, sql.SQL("SET application_name = {}").format(sql.Literal(name)))

    async def _listen_while_it_answers(self, connection: CuttingConnection) -> None:
        while True:
            await self._probe(connection)
            # After LISTEN, so that on_health can look for changes without missing any.
            self._report_healthy()
            probe_at = time.monotonic() + self._probe_seconds
            while (seconds := probe_at - time.monotonic()) > 0:
                if hosts.has_moved(connection):
                    raise ListenerCutOff
                await self._receive(connection, seconds=min(seconds, MOVE_SECONDS))

    async def _listen(self, connection: CuttingConnection, channel: str) -> None:
        await self._execute(connection, sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    async def _probe_from_another_session(self, connection: CuttingConnection) -> str:
        """Notify once from another session, to the database with the items. Return the name of its schema.

        A probe on the same connection is not enough. A pooler in transaction mode mostly gives it the server connection
        of LISTEN, and delivers its notification, but drops those that arrive while the client only waits.
        """
        payload = random_payload()
        session = Session(deadline_seconds=self._deadline_seconds)
        try:
            parameters = {"channel": probe_channel(connection), "payload": payload}
            statement = "SELECT pg_notify(%(channel)s, %(payload)s)::text, coalesce(current_schema(), '')"
            ((_, schema),) = await session.fetch(statement, parameters)
        finally:
            await session.close()
        if not await self._receive(connection, seconds=self._deadline_seconds, until=payload):
            await self._execute(connection, "UNLISTEN *")
            raise NotificationsSwallowed
        return str(schema)

    async def _probe(self, connection: CuttingConnection) -> None:
        """Notify the own connection and wait: this detects a half-open connection and a lost registration."""
        payload = random_payload()
        notify = sql.SQL("SELECT pg_notify({}, {})")
        await self._execute(connection, notify.format(sql.Literal(probe_channel(connection)), sql.Literal(payload)))
        if not await self._receive(connection, seconds=self._deadline_seconds, until=payload):
            raise ListenerCutOff

    async def _receive(self, connection: CuttingConnection, *, seconds: float, until: str | None = None) -> bool:
        """Pass notifications on for some seconds. Return whether the probe with the payload `until` arrived."""
        async with aclosing(connection.notifies(timeout=seconds)) as notifications:
            async for notification in notifications:
                if notification.channel in self._channels:
                    self._on_notification(notification.channel, notification.payload)
                elif notification.payload == until:
                    return True
        return False

    async def _execute(self, connection: CuttingConnection, query: str | sql.Composed) -> None:
        async with asyncio.timeout(self._deadline_seconds):
            await connection.execute(query)

    def _report_healthy(self) -> None:
        if not self._is_healthy:
            self._is_healthy = True
            logger.info("listener.connected", channels=self._channels)
            self._on_health(True)

    def _report_degraded(self, error: Exception) -> None:
        if self._is_healthy is not False:
            self._is_healthy = False
            logger.warning("listener.degraded", cause=type(error).__name__)
            self._on_health(False)


def name_in(schema: str, name: str) -> str:
    """Return the name with the schema behind its first word, unless that is the usual one.

    Installations that share a database by search_path do not count each other's listeners.
    """
    kind, space, rest = name.partition(" ")
    return name if schema in ("", DEFAULT_SCHEMA) else f"{kind}/{schema}{space}{rest}"


def probe_channel(connection: CuttingConnection) -> str:
    return f"litevault_probe_{connection.info.backend_pid}"


def random_payload() -> str:
    return f"{random.getrandbits(64):x}"

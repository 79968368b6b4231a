"""The LISTEN side: hears the database's notifications and tells the worker to look.

A notification is only a doorbell. Losing one costs latency and nothing else, so callbacks carry no work:
they set an event, or cancel a task.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from functools import partial
from math import ceil
from typing import Any, TypeAlias

import psycopg
import structlog
from django.conf import settings
from django.db import connection
from psycopg import sql

from enrichment import metrics
from enrichment.database import DATABASE_AWAY, DatabaseThread, conninfo
from enrichment.sockets import cut
from items.queue import CHANNEL_CANCELLED, CHANNEL_ENRICHING, LISTENER_NAME

logger = structlog.get_logger(__name__)

PROBE_SECONDS = 15.0
DEADLINE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]


def listen_conninfo() -> str:
    """Where to listen: LITEVAULT_LISTEN_DATABASE_URL, else the database itself."""
    return str(settings.LISTEN_DATABASE_URL) or conninfo()


class ListenerCutOff(Exception):
    """The connection is open, but what is said on it does not come back in time."""


class NotificationsSwallowed(Exception):
    """LISTEN was accepted, but what others notify does not arrive.

    A pooler in transaction mode stands between, or LITEVAULT_LISTEN_DATABASE_URL leads to another database.
    """


class Listener:
    """Holds one connection of its own, outside of any pool, and never gives up on it.

    `on_wake` is called for what is rung on any other channel, and whenever notifications may have been missed.
    `on_cancel` is called with the id of a claimed item that was discarded.
    `on_health` is called with False when notifications stop coming in, and with True when they do again.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        on_wake: Callable[[], None],
        on_cancel: Callable[[str], None],
        on_health: Callable[[bool], None],
        channels: Sequence[str] = (CHANNEL_ENRICHING, CHANNEL_CANCELLED),
        name: str = LISTENER_NAME,
        probe_seconds: float = PROBE_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._conninfo = conninfo
        self._on_wake = on_wake
        self._on_cancel = on_cancel
        self._on_health = on_health
        self._channels = channels
        self._name = name
        self._probe_seconds = probe_seconds
        self._deadline_seconds = deadline_seconds
        self._connection: Connection | None = None
        self._is_healthy: bool | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Listen until stopped. A lost connection is made again, with growing pauses."""
        pause = 0.1
        while not self._stopping.is_set():
            try:
                await self._connect()
                pause = 0.1
                await self._listen_while_it_answers()
            except (psycopg.Error, OSError, ListenerCutOff, NotificationsSwallowed, *DATABASE_AWAY) as error:
                self._say_degraded(error)
            finally:
                await self._disconnect()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause * (0.5 + random.random())):  # noqa: S311  # jitter is no secret
                    await self._stopping.wait()
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def stop(self) -> None:
        """Make run() return soon, whatever the network does."""
        self._stopping.set()
        cut(self._connection)

    async def _connect(self) -> None:
        connecting = psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=ceil(self._deadline_seconds)
        )
        self._connection = await self._before_deadline(connecting)
        await self._listen(self._probe_channel)
        await self._hear_the_database()
        # Not sooner: whatever a session keeps, a pooler hands on to other clients. Now it is known to be our own.
        for channel in self._channels:
            await self._listen(channel)
        await self._execute("SET idle_session_timeout = 0")
        # By this name others see who hears.
        await self._execute(sql.SQL("SET application_name = {}").format(sql.Literal(self._name)))

    async def _listen_while_it_answers(self) -> None:
        # LISTEN comes first and the scan after it, so that nothing falls between the two.
        while not self._stopping.is_set():
            await self._probe()
            self._say_healthy()
            await self._hear(seconds=self._probe_seconds)

    async def _listen(self, channel: str) -> None:
        await self._execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    async def _hear_the_database(self) -> None:
        """Have another session ring once: one that writes to the database where the items are.

        Our own probe would not do. A pooler in transaction mode mostly gives it the same server connection as it
        gave LISTEN, and passes its notification on; it drops those that come while we only wait.
        """
        payload = random_payload()
        database = DatabaseThread("litevault-ring", deadline_seconds=self._deadline_seconds)
        try:
            await database.run(partial(ring, self._probe_channel, payload))
        finally:
            await database.close()
        if not await self._comes_back(payload):
            await self._execute("UNLISTEN *")
            raise NotificationsSwallowed

    async def _hear(self, *, seconds: float, until: str | None = None) -> bool:
        """Pass notifications on for a while, or until the probe with the payload `until` comes back."""
        assert self._connection is not None  # noqa: S101  # only called between _connect and _disconnect
        async with aclosing(self._connection.notifies(timeout=seconds)) as notifications:
            async for notification in notifications:
                if notification.channel == CHANNEL_CANCELLED:
                    self._on_cancel(notification.payload)
                elif notification.channel in self._channels:
                    self._on_wake()
                elif notification.payload == until:
                    return True
        return False

    async def _probe(self) -> None:
        """Send ourselves a notification and wait for it.

        Nothing less shows a half-open connection, or a registration that was lost.
        """
        payload = random_payload()
        await self._execute(
            sql.SQL("SELECT pg_notify({}, {})").format(sql.Literal(self._probe_channel), sql.Literal(payload))
        )
        if not await self._comes_back(payload):
            raise ListenerCutOff

    async def _comes_back(self, payload: str) -> bool:
        """Whether the probe with this payload is heard before the deadline."""
        hearing = self._hear(seconds=self._deadline_seconds * 0.9, until=payload)
        return bool(await self._before_deadline(hearing))

    @property
    def _probe_channel(self) -> str:
        assert self._connection is not None  # noqa: S101  # see _hear
        return f"litevault_probe_{self._connection.info.backend_pid}"

    async def _execute(self, query: str | sql.Composed) -> None:
        assert self._connection is not None  # noqa: S101  # see _hear
        await self._before_deadline(self._connection.execute(query))

    async def _before_deadline(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Wait for `work` no longer than the deadline, also when the other side is silent.

        asyncio.wait_for would hang: on cancellation psycopg asks the silent server to cancel, too.
        Shutting the socket down makes the pending call fail at once.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=self._deadline_seconds)
            if task.done():
                return task.result()
        finally:
            if not task.done():
                cut(self._connection)
                task.cancel()
        raise ListenerCutOff

    async def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                await self._connection.close()
            self._connection = None

    def _say_healthy(self) -> None:
        if not self._is_healthy:
            if self._is_healthy is False:
                metrics.reconnects.inc()
            self._is_healthy = True
            metrics.heard(works=True)
            logger.info("listener.connected", channels=self._channels)
            self._on_health(True)
            self._on_wake()

    def _say_degraded(self, error: Exception) -> None:
        if self._is_healthy is not False and not self._stopping.is_set():
            self._is_healthy = False
            metrics.heard(works=False)
            logger.warning("listener.degraded", cause=type(error).__name__)
            self._on_health(False)


def ring(channel: str, payload: str) -> None:
    """Notify from the connection of Django, which knows nothing of the listener's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def random_payload() -> str:
    return f"{random.getrandbits(64):x}"

"""Reads what changed, once for all streams, and hands each stream its part."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import Error

from items.changes import Changes, read_changes
from litevault.events import metrics
from litevault.events.credentials import valid_credentials
from litevault.events.orm_thread import OrmThread
from litevault.events.stream import LIMIT, LONG_LOOK_BACK, SHORT_LOOK_BACK, Stream

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
PAUSE_SECONDS = 0.2
"""Between two readings, however many notifications come."""

ACTIVITY_SECONDS = 2.0
DATABASE_PAUSE_SECONDS = 1.0
DEADLINE_SECONDS = 5.0
LONGEST_STREAM_SECONDS = 3600.0
"""Then the client has to reconnect, and passes the whole handshake again."""


class Feed:
    """Reads at every notification, at every sweep and for every new stream. Without streams it does nothing."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._database = OrmThread("litevault-changes", deadline_seconds=DEADLINE_SECONDS)
        self._wake = asyncio.Event()
        self._sweep_at = 0.0
        self._activity_at = 0.0
        self._is_active = False
        self._is_delayed = False
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._streams)

    def count_of(self, owner_id: int) -> int:
        return sum(stream.owner_id == owner_id for stream in self._streams)

    def add(self, stream: Stream) -> None:
        self._streams.add(stream)
        self._wake.set()
        if self._is_stopping:
            stream.end("stopping")

    def remove(self, stream: Stream) -> None:
        self._streams.discard(stream)

    def wake(self) -> None:
        """Read soon, because some item changed."""
        if self._streams:
            self._is_active = True
            self._wake.set()

    def stop(self) -> None:
        """End all streams, and those that are added from now on."""
        self._is_stopping = True
        for stream in self._streams:
            stream.end("stopping")

    async def run(self) -> None:
        """Send changes until cancelled."""
        while True:
            await self._wait_until_due()
            # Clear, then query: a notification during the query leads to another one.
            self._wake.clear()
            try:
                await self._send_changes()
                self._send_activity()
                await asyncio.sleep(PAUSE_SECONDS)
            except (Error, TimeoutError) as error:
                self._report_delayed(error)
                self._wake.set()
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def close(self) -> None:
        await self._database.close()

    async def _wait_until_due(self) -> None:
        """Wait for a notification, a new stream or, if there are streams, the next sweep."""
        due_at = min(self._sweep_at, self._activity_at) if self._is_active else self._sweep_at
        seconds = due_at - time.monotonic() if self._streams else None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _send_changes(self) -> None:
        streams = list(self._streams)
        is_sweep = time.monotonic() >= self._sweep_at
        look_back = LONG_LOOK_BACK if is_sweep else SHORT_LOOK_BACK
        changes = await self._database.run(partial(read_for, streams, look_back=look_back))
        self._report_resumed()
        for stream in streams:
            found = changes.by_owner.get(stream.owner_id, [])
            stream.add_changes(found, read_at=changes.read_at, look_back=look_back)
        if is_sweep:
            await self._end_invalid(streams)
            self._sweep_at = time.monotonic() + SWEEP_SECONDS

    async def _end_invalid(self, streams: Collection[Stream]) -> None:
        """End streams that are open for too long, or whose credentials are no longer valid, or do not suffice."""
        credentials = {stream.credentials for stream in streams}
        valid = await self._database.run(partial(valid_credentials, credentials))
        oldest = time.monotonic() - LONGEST_STREAM_SECONDS
        for stream in streams:
            if stream.credentials not in valid:
                stream.end("unauthorized")
            elif stream.opened_at < oldest:
                stream.end("old")

    def _send_activity(self) -> None:
        """Send `activity` at most every ACTIVITY_SECONDS. A change in between is sent when that time is over."""
        if self._is_active and time.monotonic() >= self._activity_at:
            self._is_active = False
            self._activity_at = time.monotonic() + ACTIVITY_SECONDS
            for stream in self._streams:
                if stream.wants_activity:
                    stream.add_activity()

    def _report_delayed(self, error: Exception) -> None:
        if not self._is_delayed:
            self._is_delayed = True
            metrics.changes_delayed.set(1)
            logger.warning("changes.delayed", cause=type(error).__name__)

    def _report_resumed(self) -> None:
        if self._is_delayed:
            self._is_delayed = False
            metrics.changes_delayed.set(0)
            logger.info("changes.resumed")


def read_for(streams: Collection[Stream], *, look_back: timedelta) -> Changes:
    """Read for all streams at once: for each owner since the oldest position among the owner's streams."""

    def since_of(read_at: datetime) -> dict[int, datetime]:
        since: dict[int, datetime] = {}
        for stream in streams:
            wanted = stream.since(read_at, look_back)
            since[stream.owner_id] = min(since.get(stream.owner_id, wanted), wanted)
        return since

    return read_changes(since_of, limit=LIMIT)

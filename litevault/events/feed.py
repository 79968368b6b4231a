"""One reader for all streams: hears the bell, reads what changed for those who listen, and tells each."""

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
from litevault.events.credentials import still_good
from litevault.events.orm_thread import OrmThread
from litevault.events.stream import LIMIT, LONG_LOOK_BACK, SHORT_LOOK_BACK, Stream

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
PAUSE_SECONDS = 0.2
"""Between two readings, however often it rings."""

ACTIVITY_SECONDS = 2.0
DATABASE_PAUSE_SECONDS = 1.0
DEADLINE_SECONDS = 5.0
LONGEST_STREAM_SECONDS = 3600.0
"""Then the client comes in by the door again, which knows of more than `still_good`: a changed password, say."""


class Feed:
    """Reads when it rings, at every sweep, and when somebody came. While nobody listens it does nothing."""

    def __init__(self, *, sweep_seconds: float = SWEEP_SECONDS) -> None:
        self._sweep_seconds = sweep_seconds
        self._streams: set[Stream] = set()
        self._database = OrmThread("litevault-changes", deadline_seconds=DEADLINE_SECONDS)
        self._wake = asyncio.Event()
        self._sweep_at = 0.0
        self._activity_at = 0.0
        self._is_active = False
        self._is_away = False
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

    def ring(self) -> None:
        """Something changed, whoever's it is."""
        if self._streams:
            self._is_active = True
            self._wake.set()

    def stop(self) -> None:
        """End all streams, and whatever comes now."""
        self._is_stopping = True
        for stream in self._streams:
            stream.end("stopping")

    async def run(self) -> None:
        """Tell what changes, until cancelled."""
        while True:
            await self._until_there_is_reason()
            # Clear, then query, as everywhere: what rings during the query is asked for again.
            self._wake.clear()
            try:
                await self._tell_what_changed()
                self._tell_of_activity()
                await asyncio.sleep(PAUSE_SECONDS)
            except (Error, TimeoutError) as error:
                self._say_away(error)
                self._wake.set()
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def close(self) -> None:
        await self._database.close()

    async def _until_there_is_reason(self) -> None:
        """A ring, a client that came, or, if anybody listens, the time for the next sweep."""
        due_at = min(self._sweep_at, self._activity_at) if self._is_active else self._sweep_at
        seconds = due_at - time.monotonic() if self._streams else None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _tell_what_changed(self) -> None:
        streams = list(self._streams)
        is_sweep = time.monotonic() >= self._sweep_at
        look_back = LONG_LOOK_BACK if is_sweep else SHORT_LOOK_BACK
        changes = await self._database.run(partial(read_for, streams, look_back=look_back))
        self._say_back()
        for stream in streams:
            found = changes.by_owner.get(stream.owner_id, [])
            stream.tell(found, read_at=changes.read_at, look_back=look_back)
        if is_sweep:
            await self._send_away(streams)
            self._sweep_at = time.monotonic() + self._sweep_seconds

    async def _send_away(self, streams: Collection[Stream]) -> None:
        """Those who could not come in any more, and those who have been here for long."""
        held = {stream.credentials for stream in streams}
        good = await self._database.run(partial(still_good, held))
        oldest = time.monotonic() - LONGEST_STREAM_SECONDS
        for stream in streams:
            if stream.credentials not in good:
                stream.end("unauthorized")
            elif stream.opened_at < oldest:
                stream.end("old")

    def _tell_of_activity(self) -> None:
        """Not often, and at last once more for whatever came in between."""
        if self._is_active and time.monotonic() >= self._activity_at:
            self._is_active = False
            self._activity_at = time.monotonic() + ACTIVITY_SECONDS
            for stream in self._streams:
                if stream.wants_activity:
                    stream.say_activity()

    def _say_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            metrics.changes_delayed.set(1)
            logger.warning("changes.delayed", cause=type(error).__name__)

    def _say_back(self) -> None:
        if self._is_away:
            self._is_away = False
            metrics.changes_delayed.set(0)
            logger.info("changes.resumed")


def read_for(streams: Collection[Stream], *, look_back: timedelta) -> Changes:
    """One reading for all of them: for each owner from where the stream that knows least begins."""

    def since_of(read_at: datetime) -> dict[int, datetime]:
        since: dict[int, datetime] = {}
        for stream in streams:
            wanted = stream.since(read_at, look_back)
            since[stream.owner_id] = min(since.get(stream.owner_id, wanted), wanted)
        return since

    return read_changes(since_of, limit=LIMIT)

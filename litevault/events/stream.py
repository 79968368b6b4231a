"""One client that has changes shown to it."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from items.changes import Change
from litevault.events import metrics, sse
from litevault.events.credentials import Credentials

# Rows are stamped before they are committed, and by several clocks. Each reading looks back so far.
SHORT_LOOK_BACK = timedelta(seconds=2)
LONG_LOOK_BACK = timedelta(seconds=30)
LIMIT = 1000
"""More changes of one owner than that, in one reading, are told as one `reset`."""

WAITING_MAX = 2 * LIMIT
REMEMBERED_MAX = 10 * LIMIT


class Stream:
    """What waits to be sent to one client, and what it was told already.

    `position` is the time up to which it knows everything; None for a client that has just come.
    One that `is_lost` came with a position that we never gave out.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        position: datetime | None = None,
        is_lost: bool = False,
        wants_activity: bool = False,
    ) -> None:
        self.credentials = credentials
        self.wants_activity = wants_activity
        self.opened_at = time.monotonic()
        self.ended = asyncio.Event()
        self.end_cause: str | None = None
        self._position = position
        self._is_new = True
        self._is_lost = is_lost
        self._told: dict[UUID, Change] = {}
        self._waiting: list[bytes] = []
        self._news = asyncio.Event()

    @property
    def owner_id(self) -> int:
        return self.credentials.owner_id

    def since(self, read_at: datetime, look_back: timedelta) -> datetime:
        """From where on it has to be told what changed."""
        return min(self._position or read_at, read_at) - (LONG_LOOK_BACK if self._is_new else look_back)

    def tell(self, newest_first: Sequence[Change], *, read_at: datetime, look_back: timedelta) -> None:
        """Take what one reading found for the owner, and leave out what it knows."""
        since = self.since(read_at, look_back)
        unknown = [change for change in reversed(newest_first) if change.updated_at > since and not self._knows(change)]
        is_cut = len(newest_first) == LIMIT and newest_first[-1].updated_at > since
        is_ahead = self._position is not None and self._position > read_at
        if self._is_lost or is_ahead or (is_cut and (unknown or look_back == LONG_LOOK_BACK)):
            metrics.sent.labels("reset").inc()
            self._send([sse.reset_event(position=read_at)])
        elif unknown:
            metrics.sent.labels("item").inc(len(unknown))
            self._send(sse.item_events(unknown, position=read_at))
        elif self._is_new:
            self._send([sse.heartbeat(read_at)])
        self._position = read_at
        self._is_new = self._is_lost = False
        self._remember(unknown, read_at)

    def say_activity(self) -> None:
        metrics.sent.labels("activity").inc()
        self._send([sse.activity_event()])

    def end(self, cause: str) -> None:
        """Let the client go, which may come back. The first cause counts."""
        self.end_cause = self.end_cause or cause
        self.ended.set()
        self._news.set()

    async def next_chunk(self, *, heartbeat_seconds: float) -> bytes:
        """All that waits, or a heartbeat when nothing comes for so long. Empty when the stream has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(heartbeat_seconds):
                await self._news.wait()
        if not self._news.is_set():  # else the position would be ahead of what still waits
            return sse.heartbeat(self._position)
        if self.ended.is_set():
            return b""
        self._news.clear()
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting)

    def _send(self, events: list[bytes]) -> None:
        self._waiting += events
        self._news.set()
        if len(self._waiting) > WAITING_MAX:
            self._waiting.clear()
            self.end("slow")

    def _knows(self, change: Change) -> bool:
        return self._told.get(change.item_id) == change

    def _remember(self, changes: Sequence[Change], read_at: datetime) -> None:
        """For as long as readings look back. Telling something twice does no harm; memory without a bound would."""
        told = {} if len(self._told) > REMEMBERED_MAX else self._told
        told.update((change.item_id, change) for change in changes)
        oldest = read_at - LONG_LOOK_BACK
        self._told = {item_id: change for item_id, change in told.items() if change.updated_at > oldest}

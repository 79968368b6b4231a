"""The stream of events to one client."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from items.changes import Change
from litevault.events import metrics, sse
from litevault.events.credentials import Credentials

# Rows get their time before they are committed, so each reading starts this much earlier.
SHORT_LOOK_BACK = timedelta(seconds=2)
LONG_LOOK_BACK = timedelta(seconds=30)
LIMIT = 1000
"""At this many changes of one owner in one reading, the client gets one `reset` instead."""

WAITING_MAX = 2 * LIMIT
REMEMBERED_MAX = 10 * LIMIT


class Stream:
    """The events that wait to be sent to one client, and the changes that were sent already.

    `position` is the time up to which the client knows everything, or None for a new client. `has_bad_position` means
    that the client sent a malformed position.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        position: datetime | None = None,
        has_bad_position: bool = False,
        wants_activity: bool = False,
    ) -> None:
        self.credentials = credentials
        self.wants_activity = wants_activity
        self.opened_at = time.monotonic()
        self.ended = asyncio.Event()
        self.end_cause: str | None = None
        self._position = position
        self._is_new = True
        self._has_bad_position = has_bad_position
        self._sent: dict[UUID, Change] = {}
        self._waiting: list[bytes] = []
        self._has_waiting = asyncio.Event()

    @property
    def owner_id(self) -> int:
        return self.credentials.owner_id

    def since(self, read_at: datetime, look_back: timedelta) -> datetime:
        """Return the time from which on changes have to be sent."""
        return min(self._position or read_at, read_at) - (LONG_LOOK_BACK if self._is_new else look_back)

    def add_changes(self, newest_first: Sequence[Change], *, read_at: datetime, look_back: timedelta) -> None:
        """Queue what one reading found for the owner, without the changes that were sent already."""
        since = self.since(read_at, look_back)
        unknown = [
            change for change in reversed(newest_first) if change.updated_at > since and not self._was_sent(change)
        ]
        is_cut = len(newest_first) == LIMIT and newest_first[-1].updated_at > since
        is_ahead = self._position is not None and self._position > read_at
        if self._has_bad_position or is_ahead or (is_cut and (unknown or look_back == LONG_LOOK_BACK)):
            metrics.sent.labels("reset").inc()
            self._send([sse.reset_event(position=read_at)])
        elif unknown:
            metrics.sent.labels("item").inc(len(unknown))
            self._send(sse.item_events(unknown, position=read_at))
        elif self._is_new:
            self._send([sse.heartbeat(read_at)])
        self._position = read_at
        self._is_new = self._has_bad_position = False
        self._remember(unknown, read_at)

    def add_activity(self) -> None:
        metrics.sent.labels("activity").inc()
        self._send([sse.activity_event()])

    def end(self, cause: str) -> None:
        """End the stream. The first cause counts."""
        self.end_cause = self.end_cause or cause
        self.ended.set()
        self._has_waiting.set()

    async def next_chunk(self, *, heartbeat_seconds: float) -> bytes:
        """Return all that waits, or a heartbeat after a silence. Empty when the stream has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(heartbeat_seconds):
                await self._has_waiting.wait()
        if not self._has_waiting.is_set():  # else the position would be ahead of events that still wait
            return sse.heartbeat(self._position)
        if self.ended.is_set():
            return b""
        self._has_waiting.clear()
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting)

    def _send(self, events: list[bytes]) -> None:
        self._waiting += events
        self._has_waiting.set()
        if len(self._waiting) > WAITING_MAX:
            self._waiting.clear()
            self.end("slow")

    def _was_sent(self, change: Change) -> bool:
        return self._sent.get(change.item_id) == change

    def _remember(self, changes: Sequence[Change], read_at: datetime) -> None:
        """Remember changes for as long as readings look back, within a limit: sending one twice does no harm."""
        sent = {} if len(self._sent) > REMEMBERED_MAX else self._sent
        sent.update((change.item_id, change) for change in changes)
        oldest = read_at - LONG_LOOK_BACK
        self._sent = {item_id: change for item_id, change in sent.items() if change.updated_at > oldest}

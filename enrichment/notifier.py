"""Notifies live views that verdicts were written."""

import asyncio

import psycopg

from items.changes import notify_changed
from postgres.session import Fetch

PAUSE_SECONDS = 0.25


class Notifier:
    """Notifies at once, and then at most four times a second.

    Each notification is a statement of its own, after the commit: PostgreSQL serializes commits that notify. A lost
    notification does no harm, because live views also poll.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._requested = asyncio.Event()

    def request(self) -> None:
        self._requested.set()

    async def run(self) -> None:
        """Notify when requested, until cancelled."""
        while True:
            await self._requested.wait()
            await self.flush()
            await asyncio.sleep(PAUSE_SECONDS)

    async def flush(self) -> None:
        """Send a requested notification now."""
        if self._requested.is_set():
            self._requested.clear()
            try:
                await notify_changed(self._fetch)
            except psycopg.Error:
                pass  # live views also poll
            except asyncio.CancelledError:
                self._requested.set()
                raise

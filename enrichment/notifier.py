"""Notifies live views that verdicts were written."""

import asyncio

import psycopg

from items.changes import notify_changed
from postgres.session import Fetch

PAUSE_SECONDS = 0.25


class Notifier:
    """Notifies at once, and then at most four times a second, however many batches are written.

    Each notification is a statement of its own, after the commit: commits that notify queue behind one lock of
    PostgreSQL's. A lost notification does no harm: live views also look without one.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Notify soon."""
        self._requested.set()

    async def run(self) -> None:
        """Notify as often as requested, until cancelled."""
        while True:
            await self._requested.wait()
            await self.flush()
            await asyncio.sleep(PAUSE_SECONDS)

    async def flush(self) -> None:
        """Notify now, if that was requested and has not been done."""
        if self._requested.is_set():
            self._requested.clear()
            try:
                await notify_changed(self._fetch)
            except psycopg.Error:
                pass  # live views look without a notification, too
            except asyncio.CancelledError:
                self._requested.set()
                raise

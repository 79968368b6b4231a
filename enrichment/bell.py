"""Tells those who have changes shown to them live that verdicts were written."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError

from enrichment.database import DATABASE_AWAY, DatabaseThread
from items.changes import ring_changed

PAUSE_SECONDS = 0.25


class Bell:
    """Rings at once, and then at most four times a second, however many batches are written.

    Each ring is a statement of its own, after the commit: commits that notify queue behind one lock of PostgreSQL's.
    A ring that gets lost does no harm: whoever listens also looks without having been rung for.
    """

    def __init__(self, database: DatabaseThread, *, ring: Callable[[], None] = ring_changed) -> None:
        self._database = database
        self._ring = ring
        self._asked = asyncio.Event()

    def ring(self) -> None:
        """Ring soon."""
        self._asked.set()

    async def run(self) -> None:
        """Ring as often as asked to, until cancelled."""
        while True:
            await self._asked.wait()
            await self.ring_if_asked()
            await asyncio.sleep(PAUSE_SECONDS)

    async def ring_if_asked(self) -> None:
        """For what was written last, before the end."""
        if self._asked.is_set():
            self._asked.clear()
            with suppress(DatabaseError, *DATABASE_AWAY):
                await self._database.run(self._ring)

"""Writes verdicts to the database in batches, and retries until it succeeds."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
import structlog

from enrichment import metrics, verdicts
from items import queue
from items.claims import Claim, Verdict
from items.states import Status
from postgres.backoff import Backoff
from postgres.session import Session
from postgres.sqlstates import refuses_data

logger = structlog.get_logger(__name__)

# Long enough for a large batch on a slow disk: a batch that is given up too early is never written.
DEADLINE_SECONDS = 15.0
LOCKED_PAUSE_SECONDS = 0.2
# The worker claims nothing meanwhile.
BACKOFF = Backoff(first_seconds=0.1, longest_seconds=1.0)


class VerdictWriter:
    """Writes in one transaction all verdicts that arrived during the previous one.

    Drafts are paid for: while the database is away, verdicts wait in memory. `on_written` is called after each commit.
    """

    def __init__(self, *, on_written: Callable[[Sequence[Verdict]], None]) -> None:
        # True while verdicts wait for the database.
        self.is_delayed = False
        self._on_written = on_written
        self._session = Session(deadline_seconds=DEADLINE_SECONDS)
        self._waiting: list[Verdict] = []
        self._writing: list[Verdict] = []
        self._locked: list[Verdict] = []
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def add(self, verdict: Verdict) -> None:
        self._waiting.append(verdict)
        self._arrived.set()
        self._emptied.clear()

    def unwritten(self) -> list[Claim]:
        """Return the claims whose verdict is not written yet, and which still need their lease."""
        return [verdict.claim for verdict in (*self._writing, *self._waiting, *self._locked)]

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._writing, self._waiting = self._waiting, []
            await self._write(self._writing)
            written, self._writing = self._writing, []
            if not self._waiting and not self._locked:
                self._emptied.set()
            self._on_written(written)

    async def flush(self, *, timeout_seconds: float) -> None:
        """Wait until all is written, or until the timeout. Another worker repeats the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._emptied.wait()
        if claims := self.unwritten():
            logger.error("verdicts.abandoned", count=len(claims))

    async def close(self) -> None:
        await self._session.close()

    async def _write(self, batch: Sequence[Verdict]) -> None:
        failures = 0
        while True:
            try:
                finished = await queue.finish(self._session.transaction, batch)
            except psycopg.Error as error:
                if not refuses_data(error):
                    failures += 1
                    await self._delay(batch, error, failures)
                    continue
                self.is_delayed = False
                metrics.verdicts_delayed.set(0)
                metrics.verdicts_refused.inc(len(batch))
                # Not the error itself: it may quote the text.
                logger.error("verdicts.refused", count=len(batch), cause=type(error).__name__)
                return await self._write_one_by_one(batch)
            else:
                self.is_delayed = False
                metrics.count_written(batch, finished)
                for verdict in finished.late:
                    logger.info("verdict.late", item_id=str(verdict.claim.item_id), outcome=verdict.outcome)
                self._retry_later(finished.locked)
                return None

    async def _delay(self, batch: Sequence[Verdict], error: psycopg.Error, failures: int) -> None:
        self.is_delayed = True
        metrics.verdicts_delayed.set(len(batch))
        logger.warning("verdicts.delayed", count=len(batch), cause=type(error).__name__)
        await asyncio.sleep(BACKOFF.jittered_seconds(failures))

    async def _write_one_by_one(self, batch: Sequence[Verdict]) -> None:
        """Write a refused batch one by one, and fail the item whose draft is refused."""
        if len(batch) > 1:
            for verdict in batch:
                await self._write([verdict])
        elif batch[0].status != Status.FAILED:
            await self._write([verdicts.unwritable(batch[0])])

    def _retry_later(self, locked: Sequence[Verdict]) -> None:
        """Retry verdicts of locked items soon, without delaying others."""
        if locked:
            self._locked += locked
            asyncio.get_running_loop().call_later(LOCKED_PAUSE_SECONDS, self._add_locked)

    def _add_locked(self) -> None:
        locked, self._locked = self._locked, []
        for verdict in locked:
            self.add(verdict)

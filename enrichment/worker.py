"""The worker: claims items that are due, has them enriched, and hands the verdicts over to be written."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import psycopg
import structlog

from enrichment import metrics, verdicts
from enrichment.breaker import Breaker
from enrichment.config import EnrichSettings
from enrichment.enricher import Enricher
from enrichment.leases import LeaseKeeper
from enrichment.notifier import Notifier
from enrichment.providers.base import EnrichmentProvider
from enrichment.vocabulary import Vocabularies
from enrichment.writer import VerdictWriter
from items import queue
from items.claims import Claim, Verdict
from items.states import Status
from postgres.session import Session

logger = structlog.get_logger(__name__)

DEGRADED_SWEEP_SECONDS = 5.0
DEADLINE_SECONDS = 5.0
FLUSH_SECONDS = 4.0
DATABASE_PAUSE_SECONDS = 0.5
# Until the next look at what is due and could not be claimed: somebody has it locked, or its owner is at the limit.
HELD_BACK_SECONDS = 0.2


class EnrichmentWorker:
    """Enriches up to `concurrency` items at a time, until told to stop.

    All methods are called from the event loop: by the listener, and by signals.
    With `exits_when_idle` it returns as soon as nothing is due; with `max_items`, after that many attempts.
    """

    def __init__(
        self,
        provider: EnrichmentProvider,
        *,
        worker_id: str,
        concurrency: int,
        deadline_seconds: float,
        settings: EnrichSettings,
        exits_when_idle: bool = False,
        max_items: int | None = None,
    ) -> None:
        self._worker_id = worker_id
        self._settings = settings
        self._exits_when_idle = exits_when_idle
        self._remaining = max_items
        # A few items are claimed ahead, so that a slot that becomes free need not wait for the database. While half of
        # these wait no more are claimed: many claims of one item each would take processors from what is worked on.
        ahead = max(1, concurrency // 10)
        self._capacity = concurrency + ahead
        self._least_room = (ahead + 1) // 2
        self._slots = asyncio.Semaphore(concurrency)
        self._claims = Session(deadline_seconds=DEADLINE_SECONDS)
        # Renewals, vocabularies and notifications share another one, so that no claim waits for any of them.
        self._aside = Session(deadline_seconds=DEADLINE_SECONDS)
        self._writer = VerdictWriter(on_written=self._verdicts_written)
        self._leases = LeaseKeeper(
            self._aside.fetch, lease_seconds=settings.lease_seconds, held=self._held, on_lost=self._lease_lost
        )
        self._notifier = Notifier(self._aside.fetch)
        self._breaker = Breaker()
        self._vocabularies = Vocabularies(self._aside.fetch)
        self._enricher = Enricher(
            provider,
            vocabularies=self._vocabularies,
            breaker=self._breaker,
            deadline_seconds=deadline_seconds,
            max_attempts=settings.max_attempts,
        )
        self._in_flight: dict[Claim, asyncio.Task[Verdict]] = {}
        self._last_owner = queue.BEFORE_ALL_OWNERS
        self._is_notified = True
        self._is_backlogged = False
        self._is_stopping = False
        self._is_hurried = False
        self._grace_ends_at = 0.0
        self._wake = asyncio.Event()

    # What others may ask of a worker.

    def wake(self) -> None:
        """Look for items now."""
        self._wake.set()

    def cancel(self, item_id: str) -> None:
        """Stop working on an item that was discarded."""
        for claim, task in self._in_flight.items():
            if str(claim.item_id) == item_id:
                task.cancel()

    def notified(self, channel: str, payload: str) -> None:
        """Act on a notification of the database."""
        if channel == queue.CHANNEL_CANCELLED:
            self.cancel(payload)
        else:
            self.wake()

    def notifications_work(self, works: bool) -> None:
        """While notifications do not come in, sweep more often, beginning now.

        When they do again, look which leases still hold: the news of a discard may have been missed.
        """
        metrics.listener.record(works=works)
        self._is_notified = works
        self._leases.renew_now()
        self._wake.set()

    def drain(self) -> None:
        """Claim no more, and return once the items in flight are done, or after the grace period."""
        if not self._is_stopping:
            self._is_stopping = True
            self._grace_ends_at = asyncio.get_running_loop().time() + self._settings.grace_seconds
        self._wake.set()

    def release(self) -> None:
        """Like drain(), with no grace: give back at once what is in flight."""
        self._is_hurried = True
        self.drain()

    # The life of a worker.

    async def run(self) -> None:
        """Work until told to stop. An error of one item is that item's; any other ends the run."""
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._writer.run())
            renewing = group.create_task(self._leases.run())
            notifying = group.create_task(self._notifier.run())
            await self._claim_until_told_to_stop(group)
            await self._let_flights_land()
            await self._writer.flush(timeout_seconds=FLUSH_SECONDS)
            for task in (renewing, writing, notifying):
                task.cancel()
        await self._notifier.flush()
        self._vocabularies.stop()
        await asyncio.gather(self._claims.close(), self._writer.close(), self._aside.close())

    async def _claim_until_told_to_stop(self, group: asyncio.TaskGroup) -> None:
        while not self._is_stopping:
            # Clear, then query: what arrives during the query sets the event again. The other order loses it.
            self._wake.clear()
            try:
                await self._claim_all_due(group)
                pause = await self._seconds_until_next_look()
            except psycopg.Error as error:
                logger.warning("claim.failed", cause=type(error).__name__)
                pause = DATABASE_PAUSE_SECONDS
            else:
                if self._is_done():
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _claim_all_due(self, group: asyncio.TaskGroup) -> None:
        """Claim until the slots are full, or until a whole round of the owners finds nothing."""
        while (room := self._room()) > 0:
            is_whole_round = self._last_owner == queue.BEFORE_ALL_OWNERS
            claims = await queue.claim(
                self._claims.fetch,
                room,
                worker=self._worker_id,
                lease_seconds=self._settings.lease_seconds,
                after_owner=self._last_owner,
                per_owner=self._settings.per_owner_concurrency,
            )
            for claim in claims:
                self._start(claim, group)
            # They begin now, and not after the next question to the database.
            await asyncio.sleep(0)
            if len(claims) == room:
                self._last_owner = max(claim.owner_id for claim in claims)
                continue
            self._last_owner = queue.BEFORE_ALL_OWNERS
            if is_whole_round and leave_nothing(claims, room):
                # An owner's limit may hold something back until one of its items lands.
                self._is_backlogged = self._settings.per_owner_concurrency > 0
                return
        self._is_backlogged = True

    def _room(self) -> int:
        """How many more items may be claimed now."""
        # Items whose verdict waits for the database may have no lease any more. They would be claimed again,
        # and their answers paid for twice.
        if self._is_stopping or self._writer.is_delayed or self._breaker.seconds_until_probe() > 0:
            return 0
        capacity = 1 if self._breaker.is_open else self._capacity
        room = capacity - len(self._in_flight)
        if room < min(capacity, self._least_room):
            return 0
        return room if self._remaining is None else min(room, self._remaining)

    async def _seconds_until_next_look(self) -> float:
        """Until the sweep, or until the next item becomes due, whichever is sooner."""
        if self._writer.is_delayed:
            return DATABASE_PAUSE_SECONDS
        seconds = self._settings.sweep_seconds
        if not self._is_notified:
            seconds = min(seconds, DEGRADED_SWEEP_SECONDS)
        seconds *= random.uniform(0.8, 1.2)
        if self._breaker.is_open:
            return min(seconds, self._breaker.seconds_until_probe() or seconds)
        if self._room() > 0:
            due_in = await queue.next_due_in(self._claims.fetch)
            if due_in is not None:
                seconds = min(seconds, due_in if due_in > 0 else HELD_BACK_SECONDS)
        return seconds

    def _is_done(self) -> bool:
        is_enough = self._exits_when_idle or self._remaining == 0
        is_idle = not self._in_flight and not self._writer.is_delayed and not self._wake.is_set()
        return is_enough and is_idle

    def _start(self, claim: Claim, group: asyncio.TaskGroup) -> None:
        if self._remaining is not None:
            self._remaining -= 1
        task = group.create_task(self._enrich(claim))
        self._in_flight[claim] = task
        metrics.claims.inc()
        metrics.in_flight.inc()
        task.add_done_callback(partial(self._land, claim))

    async def _enrich(self, claim: Claim) -> Verdict:
        async with self._slots:
            return await self._enricher.enrich(claim)

    def _land(self, claim: Claim, task: asyncio.Task[Verdict]) -> None:
        """Take the verdict of a task that has ended, in whatever way it did."""
        del self._in_flight[claim]
        metrics.in_flight.dec()
        if task.cancelled():
            self._writer.add(verdicts.released(claim))
        elif task.exception() is None:
            self._writer.add(task.result())
        if self._is_backlogged or self._is_stopping or self._is_done():
            self._wake.set()

    def _verdicts_written(self, written: Sequence[Verdict]) -> None:
        self._notifier.request()
        # One of these may now be the next item due, or have been what its owner's limit counted.
        if self._settings.per_owner_concurrency or any(verdict.status == Status.ENRICHING for verdict in written):
            self._wake.set()

    def _held(self) -> list[Claim]:
        return [*self._in_flight, *self._writer.unwritten()]

    def _lease_lost(self, claim: Claim) -> None:
        """Cancel what is not ours any more: another worker may already be at it."""
        if task := self._in_flight.get(claim):
            metrics.leases_lost.inc()
            logger.info("lease.lost", item_id=str(claim.item_id))
            task.cancel()

    async def _let_flights_land(self) -> None:
        if self._in_flight:
            logger.info("worker.draining", in_flight=len(self._in_flight))
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._grace_ends_at):
                while self._in_flight and not self._is_hurried:
                    self._wake.clear()
                    await self._wake.wait()
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        if tasks:
            logger.info("worker.releasing", in_flight=len(tasks))
            await asyncio.wait(tasks, timeout=FLUSH_SECONDS)


def leave_nothing(claims: Sequence[Claim], room: int) -> bool:
    """Whether every owner got less than its share of the room: then none has more, but for what somebody has locked."""
    by_owner = Counter(claim.owner_id for claim in claims)
    return all(number < room / len(by_owner) for number in by_owner.values())

"""The worker claims items that are due, enriches them and passes their verdicts to the writer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import psycopg
import structlog

from enrichment import metrics, verdicts
from enrichment.breaker import Breaker
from enrichment.budget import DailyBudget
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
from items.texts import RAW_TEXT_HIGHEST_LIMIT
from postgres.backoff import jitter
from postgres.session import Session
from postgres.sqlstates import sentence_of

logger = structlog.get_logger(__name__)

DEGRADED_SWEEP_SECONDS = 5.0
DEADLINE_SECONDS = 5.0
FLUSH_SECONDS = 4.0
# The most that one claim returns, so that a claim of long texts ends within its deadline.
CLAIMED_CHARACTERS = 50_000_000
DATABASE_PAUSE_SECONDS = 0.5
# Before the next claim while a rate limit allows no more items.
MIN_PACED_PAUSE_SECONDS = 0.1
# Before the next claim of an item that is due, but locked, or whose owner is at the limit.
BLOCKED_PAUSE_SECONDS = 0.2
# The same, while owners are paused, perhaps for hours.
OWNER_PAUSE_SECONDS = 1.0
PROVIDER_DOWN = "The provider is down. The remaining items wait for another worker, or for the next run."


class EnrichmentWorker:
    """Enriches up to `concurrency` items at a time.

    All methods are called from the event loop: by the listener and by signal handlers. With `exits_when_idle`, run()
    returns as soon as nothing is due, or may be claimed, as while the provider is down; with `max_items`, after that
    many attempts.
    """

    def __init__(
        self,
        provider: EnrichmentProvider,
        *,
        worker_id: str,
        concurrency: int,
        deadline_seconds: float,
        settings: EnrichSettings,
        text_length: int = RAW_TEXT_HIGHEST_LIMIT,
        daily_budget_usd: float = 0,
        daily_budget_per_owner_usd: float = 0,
        exits_when_idle: bool = False,
        max_items: int | None = None,
    ) -> None:
        self._provider = provider
        self._worker_id = worker_id
        self._settings = settings
        self._text_length = text_length
        self._exits_when_idle = exits_when_idle
        self._remaining = max_items
        # A few items are claimed ahead, so that a free slot does not wait for the database. No more are claimed while
        # half of these still wait: many claims of one item each would cost too much processor time.
        ahead = max(1, concurrency // 10)
        self._capacity = concurrency + ahead
        self._min_free_capacity = (ahead + 1) // 2
        self._claimed_at_once = CLAIMED_CHARACTERS // min(text_length, RAW_TEXT_HIGHEST_LIMIT)
        self._slots = asyncio.Semaphore(concurrency)
        self._claim_session = Session(deadline_seconds=DEADLINE_SECONDS)
        # Shared by renewals, vocabularies and notifications, so that no claim waits for any of them.
        self._shared_session = Session(deadline_seconds=DEADLINE_SECONDS)
        self._writer = VerdictWriter(on_written=self._on_written)
        self._leases = LeaseKeeper(
            self._shared_session.fetch,
            lease_seconds=settings.lease_seconds,
            claims=self._leased_claims,
            on_lost=self._on_lease_lost,
        )
        self._notifier = Notifier(self._shared_session.fetch)
        self._breaker = Breaker()
        self._budget = DailyBudget(
            self._claim_session.fetch, total_usd=daily_budget_usd, per_owner_usd=daily_budget_per_owner_usd
        )
        self._vocabularies = Vocabularies(self._shared_session.fetch)
        self._enricher = Enricher(
            provider,
            vocabularies=self._vocabularies,
            breaker=self._breaker,
            deadline_seconds=deadline_seconds,
            max_attempts=settings.max_attempts,
            max_refunds=settings.max_refunds,
        )
        self._in_flight: dict[Claim, asyncio.Task[Verdict]] = {}
        self._last_owner = queue.BEFORE_ALL_OWNERS
        self._is_listening = True
        self._is_backlogged = False
        self._is_stopping = False
        self._is_releasing = False
        self._claim_failure: str | None = None
        self._grace_ends_at = 0.0
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Claim now."""
        self._wake.set()

    def cancel(self, item_id: str) -> None:
        """Cancel the call for an item that was discarded."""
        for claim, task in self._in_flight.items():
            if str(claim.item_id) == item_id:
                task.cancel()

    def on_notification(self, channel: str, payload: str) -> None:
        if channel == queue.CHANNEL_CANCELLED:
            self.cancel(payload)
        else:
            self.wake()

    def on_health(self, works: bool) -> None:  # a callback's only argument
        """Sweep more often while notifications do not arrive, and renew the leases: a discard may have been missed."""
        metrics.listener.record(works=works)
        self._is_listening = works
        self._leases.renew_now()
        self._wake.set()

    def drain(self) -> None:
        """Stop claiming. End the run when the items in flight are done, or after the grace period."""
        if not self._is_stopping:
            self._is_stopping = True
            self._grace_ends_at = asyncio.get_running_loop().time() + self._settings.grace_seconds
        self._wake.set()

    def release(self) -> None:
        """Stop claiming, and release the items in flight at once."""
        self._is_releasing = True
        self.drain()

    async def run(self) -> None:
        """Work until drain() or release(). Raise any error that does not belong to a single item."""
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._writer.run())
            renewing = group.create_task(self._leases.run())
            notifying = group.create_task(self._notifier.run())
            await self._claim_until_stopped(group)
            await self._finish_in_flight()
            await self._writer.flush(timeout_seconds=FLUSH_SECONDS)
            for task in (renewing, writing, notifying):
                task.cancel()
        await self._notifier.flush()
        self._vocabularies.stop()
        await asyncio.gather(self._claim_session.close(), self._writer.close(), self._shared_session.close())

    async def _claim_until_stopped(self, group: asyncio.TaskGroup) -> None:
        while not self._is_stopping:
            # Clear before the query, so that a notification during the query sets the event again.
            self._wake.clear()
            try:
                await self._claim_all_due(group)
                # An item that was captured meanwhile does not wait for a query that says when the next one is due.
                pause = 0 if self._wake.is_set() else await self._seconds_until_next_claim()
            except psycopg.Error as error:
                self._report_claim_failed(error)
                pause = DATABASE_PAUSE_SECONDS
            else:
                self._claim_failure = None
                if self._is_finished():
                    if self._breaker.is_open:
                        logger.warning("worker.gave_up", sentence=PROVIDER_DOWN)
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _report_claim_failed(self, error: psycopg.Error) -> None:
        """Log each failure once, however long the database stays that way."""
        cause = type(error).__name__
        if cause != self._claim_failure:
            self._claim_failure = cause
            logger.warning("claim.failed", cause=cause, sentence=sentence_of(error))

    async def _claim_all_due(self, group: asyncio.TaskGroup) -> None:
        """Claim until the slots are full, or until a whole round of the owners finds nothing more."""
        await self._budget.check()
        while (free := self._free_capacity()) > 0:
            is_whole_round = self._last_owner == queue.BEFORE_ALL_OWNERS
            number = min(free, self._claimed_at_once)
            claims = await queue.claim(
                self._claim_session.fetch,
                number,
                worker=self._worker_id,
                lease_seconds=self._settings.lease_seconds,
                after_owner=self._last_owner,
                per_owner=self._settings.per_owner_concurrency,
                text_length=self._text_length,
            )
            for claim in claims:
                self._start(claim, group)
            # Let the tasks begin before the next query.
            await asyncio.sleep(0)
            await self._budget.check()
            if len(claims) == number:
                self._last_owner = queue.last_owner(claims, number)
                continue
            self._last_owner = queue.BEFORE_ALL_OWNERS
            if is_whole_round and queue.all_served(claims, number):
                # An owner at the limit may have more items.
                self._is_backlogged = self._settings.per_owner_concurrency > 0
                return
        self._is_backlogged = True

    def _free_capacity(self) -> int:
        """Return how many more items may be claimed now."""
        # While verdicts wait for the database, their leases may end: the items would be claimed and paid for again.
        if self._is_stopping or self._writer.is_delayed or self._breaker.seconds_until_probe() > 0:
            return 0
        if self._budget.is_spent:
            return 0
        capacity = 1 if self._breaker.is_open else int(min(self._capacity, self._provider.capacity()))
        free = capacity - len(self._in_flight)
        if free < min(capacity, self._min_free_capacity):
            return 0
        return free if self._remaining is None else min(free, self._remaining)

    async def _seconds_until_next_claim(self) -> float:
        """Return the time to the sweep, or to the next due item if that is sooner."""
        if self._writer.is_delayed:
            return DATABASE_PAUSE_SECONDS
        seconds = self._settings.sweep_seconds
        if not self._is_listening:
            seconds = min(seconds, DEGRADED_SWEEP_SECONDS)
        seconds *= jitter(0.8, 1.2)
        if self._budget.is_spent:
            return min(seconds, self._budget.seconds_until_midnight())
        if self._breaker.is_open:
            return min(seconds, self._breaker.seconds_until_probe() or seconds)
        if self._is_paced:
            return min(seconds, max(self._provider.wait_seconds(), MIN_PACED_PAUSE_SECONDS))
        if self._free_capacity() > 0:
            due_in, has_pauses = await queue.next_due_in(self._claim_session.fetch)
            if due_in is not None:
                blocked_pause = OWNER_PAUSE_SECONDS if has_pauses else BLOCKED_PAUSE_SECONDS
                seconds = min(seconds, due_in if due_in > 0 else blocked_pause)
        return seconds

    @property
    def _is_paced(self) -> bool:
        """Whether a rate limit keeps free slots from claiming."""
        is_limited = self._provider.capacity() < self._capacity and not self._budget.is_spent
        return is_limited and self._free_capacity() == 0

    def _is_finished(self) -> bool:
        is_enough = (self._exits_when_idle and not self._is_paced) or self._remaining == 0
        return is_enough and not self._wake.is_set() and not self._leased_claims()

    def _start(self, claim: Claim, group: asyncio.TaskGroup) -> None:
        if self._remaining is not None:
            self._remaining -= 1
        task = group.create_task(self._enrich(claim))
        self._in_flight[claim] = task
        metrics.claims.inc()
        metrics.in_flight.inc()
        task.add_done_callback(partial(self._on_task_done, claim))

    async def _enrich(self, claim: Claim) -> Verdict:
        async with self._slots:
            return await self._enricher.enrich(claim)

    def _on_task_done(self, claim: Claim, task: asyncio.Task[Verdict]) -> None:
        del self._in_flight[claim]
        metrics.in_flight.dec()
        if task.cancelled():
            self._writer.add(verdicts.released(claim))
        elif task.exception() is None:
            self._writer.add(task.result())
        if self._is_backlogged or self._is_stopping or self._is_finished():
            self._wake.set()

    def _on_written(self, written: Sequence[Verdict]) -> None:
        self._notifier.request()
        # A postponed item may be the next one due, and a finished one no longer counts towards its owner's limit.
        is_due = self._settings.per_owner_concurrency or any(each.status == Status.ENRICHING for each in written)
        if is_due or self._is_finished():
            self._wake.set()

    def _leased_claims(self) -> list[Claim]:
        return [*self._in_flight, *self._writer.unwritten()]

    def _on_lease_lost(self, claim: Claim) -> None:
        if task := self._in_flight.get(claim):
            metrics.leases_lost.inc()
            logger.info("lease.lost", item_id=str(claim.item_id))
            task.cancel()

    async def _finish_in_flight(self) -> None:
        if self._in_flight:
            logger.info("worker.draining", in_flight=len(self._in_flight))
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._grace_ends_at):
                while self._in_flight and not self._is_releasing:
                    self._wake.clear()
                    await self._wake.wait()
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        if tasks:
            logger.info("worker.releasing", in_flight=len(tasks))
            await asyncio.wait(tasks, timeout=FLUSH_SECONDS)

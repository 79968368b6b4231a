"""The daily budget: while it is spent, items wait instead of being claimed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf

import psycopg
import structlog
from django.utils import timezone

from items.budget import read_costs, record_pauses
from items.pauses import ALL_OWNERS
from postgres.session import Fetch

logger = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0
# Costs of attempts that finished longer ago are read once and remembered, so that a check stays cheap.
SETTLED_AFTER = timedelta(minutes=1)
READ_AT_ONCE = timedelta(hours=1)
DAY = timedelta(days=1)

NEVER = datetime.min.replace(tzinfo=UTC)


class DailyBudget:
    """Pauses all owners, or one, when the attempts that finished today (UTC) have cost the budget. 0 is no budget.

    All workers share the pauses through the database.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        total_usd: float,
        per_owner_usd: float,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self.paused: frozenset[int] = frozenset()
        self._fetch = fetch
        self._total_usd = Decimal(str(total_usd))
        self._per_owner_usd = Decimal(str(per_owner_usd))
        self._has_limit = bool(total_usd or per_owner_usd)
        self._clock = clock
        self._check_at = 0.0
        self._day_ends_at = NEVER
        self._settled: dict[int, Decimal] = {}
        self._settled_until = NEVER

    @property
    def is_spent(self) -> bool:
        """Whether no item of any owner may be claimed."""
        return ALL_OWNERS in self.paused

    def seconds_until_midnight(self) -> float:
        return max(0.0, (self._day_ends_at - self._clock()).total_seconds())

    async def check(self) -> None:
        """Record who has to wait. Return at once if that was done less than CHECK_SECONDS ago. Raise psycopg.Error."""
        now = self._clock()
        if time.monotonic() < self._check_at and now < self._day_ends_at:
            return
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            paused = await self._owners_to_pause(now, midnight)
            await record_pauses(self._fetch, paused, until=midnight + DAY)
        except psycopg.Error:
            # Verdicts that wait for the database may be written long after their attempts have finished.
            self._settled_until = NEVER
            raise
        if paused - self.paused:
            logger.warning("budget.spent", for_all=ALL_OWNERS in paused, owners=len(paused - {ALL_OWNERS}))
        elif self.paused and not paused:
            logger.info("budget.renewed")
        self.paused = paused
        self._day_ends_at = midnight + DAY
        self._check_at = time.monotonic() + CHECK_SECONDS
        if not self._has_limit:
            # The pauses of an earlier budget have been removed.
            self._check_at, self._day_ends_at = inf, datetime.max.replace(tzinfo=UTC)

    async def _owners_to_pause(self, now: datetime, midnight: datetime) -> frozenset[int]:
        if not self._has_limit:
            return frozenset()
        spent = await self._spent_since(midnight, now)
        owners = {owner for owner, cost in spent.items() if 0 < self._per_owner_usd <= cost}
        if 0 < self._total_usd <= sum(spent.values()):
            owners.add(ALL_OWNERS)
        return frozenset(owners)

    async def _spent_since(self, midnight: datetime, now: datetime) -> dict[int, Decimal]:
        if self._settled_until < midnight:
            self._settled, self._settled_until = {}, midnight
        while now - self._settled_until > 2 * SETTLED_AFTER:
            end = min(self._settled_until + READ_AT_ONCE, now - SETTLED_AFTER)
            self._settled = _sums(self._settled, await self._costs(self._settled_until, end))
            self._settled_until = end
        return _sums(self._settled, await self._costs(self._settled_until, midnight + DAY))

    async def _costs(self, start: datetime, end: datetime) -> dict[int, Decimal]:
        return await read_costs(self._fetch, start=start, end=end, by_owner=self._per_owner_usd > 0)


def _sums(one: dict[int, Decimal], other: dict[int, Decimal]) -> dict[int, Decimal]:
    return {owner: one.get(owner, Decimal(0)) + other.get(owner, Decimal(0)) for owner in {*one, *other}}

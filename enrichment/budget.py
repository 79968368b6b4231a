"""The daily budget: while it is spent, items wait instead of being claimed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf

import structlog
from django.utils import timezone

from items.budget import read_costs_of_hour, read_newer_costs, read_position, record_pauses
from items.pauses import ALL_OWNERS
from postgres.session import Fetch

logger = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0
# Costs of older attempts are read once and remembered, so that a check stays cheap. A newer attempt may be committed
# after others with higher ids.
NEWEST_ATTEMPTS = 2000
HOUR = timedelta(hours=1)
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
        self._by_owner = per_owner_usd > 0
        self._clock = clock
        self._check_at = 0.0
        self._day_ends_at = NEVER
        self._settled: dict[int, Decimal] = {}
        self._settled_id = 0
        self._settled_day = NEVER
        self._deleted_usd = Decimal(0)

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
        paused = await self._owners_to_pause(midnight)
        await record_pauses(self._fetch, paused, until=midnight + DAY)
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

    async def _owners_to_pause(self, midnight: datetime) -> frozenset[int]:
        if not self._has_limit:
            return frozenset()
        spent = await self._spent_since(midnight)
        owners = {owner for owner, cost in spent.items() if 0 < self._per_owner_usd <= cost}
        if 0 < self._total_usd <= sum(spent.values(), start=self._deleted_usd):
            owners.add(ALL_OWNERS)
        return frozenset(owners)

    async def _spent_since(self, midnight: datetime) -> dict[int, Decimal]:
        """Return the costs by owner. Those of deleted attempts are in `_deleted_usd`."""
        newest_id, deleted_usd = await read_position(self._fetch, day=midnight)
        last_id = newest_id - NEWEST_ATTEMPTS
        is_new_day = midnight != self._settled_day
        # Ids become lower after a failover that lost attempts.
        if is_new_day or deleted_usd != self._deleted_usd or newest_id < self._settled_id:
            settled: dict[int, Decimal] = {}
            for start in (midnight + hour * HOUR for hour in range(DAY // HOUR)):
                costs = await read_costs_of_hour(self._fetch, start=start, last_id=last_id, by_owner=self._by_owner)
                settled = _sums(settled, costs)
            self._settled, self._settled_id, self._settled_day = settled, last_id, midnight
            self._deleted_usd = deleted_usd
        elif last_id - self._settled_id > NEWEST_ATTEMPTS:
            self._settled = _sums(self._settled, await self._newer_costs(last_id))
            self._settled_id = last_id
        return _sums(self._settled, await self._newer_costs(newest_id))

    async def _newer_costs(self, last_id: int) -> dict[int, Decimal]:
        day, after_id = self._settled_day, self._settled_id
        return await read_newer_costs(self._fetch, day=day, after_id=after_id, last_id=last_id, by_owner=self._by_owner)


def _sums(one: dict[int, Decimal], other: dict[int, Decimal]) -> dict[int, Decimal]:
    return {owner: one.get(owner, Decimal(0)) + other.get(owner, Decimal(0)) for owner in {*one, *other}}

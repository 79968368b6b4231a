"""The daily budget: what attempts have cost, and whose items wait because a budget is spent.

Workers record a pause for each owner whose budget is spent, or one for all owners. items_claim() skips these owners
until the pause ends, and pages, metrics and checks read the pauses. An attempt without a known price counts as free.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, Self

from django.db.models import Max
from django.db.models.functions import Now

from items.models import BudgetPause
from postgres.session import Fetch

ALL_OWNERS = 0
"""Stands for all owners in a pause. No user has this id."""

# From the index attempts_newest alone.
COST = """
SELECT 0, coalesce(sum(cost_usd), 0) FROM enrichment_attempts
WHERE finished_at >= %(start)s AND finished_at < %(end)s
"""
# Looks up each item by its id: a join would scan the whole table for the attempts of a few minutes.
COST_BY_OWNER = """
SELECT owner_id, sum(cost_usd) FROM (
    SELECT (SELECT owner_id FROM items WHERE id = item_id) AS owner_id, cost_usd FROM enrichment_attempts
    WHERE finished_at >= %(start)s AND finished_at < %(end)s AND cost_usd > 0
) attempt
GROUP BY owner_id
"""
# Writes nothing if nothing has changed. Not waiting for the disk: the next check records it again.
RECORD = """
WITH spent AS (
    SELECT owner_id FROM unnest(%(owners)s::bigint[]) AS owner_id, set_config('synchronous_commit', 'off', true)
),
ended AS (
    DELETE FROM budget_pauses WHERE owner_id NOT IN (SELECT owner_id FROM spent)
)
INSERT INTO budget_pauses (owner_id, until)
SELECT owner_id, %(until)s FROM spent
WHERE NOT EXISTS (SELECT FROM budget_pauses AS known WHERE known.owner_id = spent.owner_id AND until = %(until)s)
ORDER BY owner_id
ON CONFLICT (owner_id) DO UPDATE SET until = excluded.until
"""
PAUSES = """
SELECT count(*) FILTER (WHERE owner_id = 0), count(*) FILTER (WHERE owner_id <> 0), max(until)
FROM budget_pauses WHERE until > now()
"""


class Connection(Protocol):
    """A connection of Django or psycopg."""

    def cursor(self) -> Any: ...


async def read_costs(fetch: Fetch, *, start: datetime, end: datetime, by_owner: bool) -> dict[int, Decimal]:
    """Return the known costs in US dollars of the attempts that finished in this time, by owner or as ALL_OWNERS."""
    return dict(await fetch(COST_BY_OWNER if by_owner else COST, {"start": start, "end": end}))


async def record_pauses(fetch: Fetch, owners: Iterable[int], *, until: datetime) -> None:
    """Pause these owners, or ALL_OWNERS, and no others."""
    await fetch(RECORD, {"owners": sorted(owners), "until": until})


class Pauses(NamedTuple):
    """The pauses in force: 1 or 0 for all owners, and the number of single owners."""

    of_all: int
    of_owners: int
    until: datetime | None

    @classmethod
    def read(cls, connection: Connection) -> Self:
        with connection.cursor() as cursor:
            cursor.execute(PAUSES)
            return cls(*cursor.fetchone())

    @property
    def owners(self) -> str:
        """Who has to wait, as part of a sentence; empty if everyone may go on."""
        if self.of_all:
            return "all owners"
        return f"{self.of_owners:,} owner{'' if self.of_owners == 1 else 's'}" if self.of_owners else ""


def paused_until(owner_id: int) -> datetime | None:
    """Return the time until which the items of the owner wait because a budget is spent."""
    pauses = BudgetPause.objects.filter(owner_id__in=(ALL_OWNERS, owner_id), until__gt=Now())
    until: datetime | None = pauses.aggregate(until=Max("until"))["until"]
    return until

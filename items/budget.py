"""The daily budget: what attempts have cost, and whose items wait because a budget is spent.

Workers record a pause for each owner whose budget is spent, or one for all owners (items.pauses). An attempt without a
known price counts as free.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from postgres.session import Fetch

# The cost of deleted attempts has no owner any more.
POSITION = """
SELECT coalesce((SELECT max(id) FROM enrichment_attempts), 0), coalesce(sum(cost_usd), 0) FROM deleted_usage
WHERE start >= %(day)s AND start < %(day)s + interval '1 day'
"""
COST = "SELECT 0, coalesce(sum(cost_usd), 0) FROM enrichment_attempts WHERE {which}"
# Looks up each item by its id: a join would scan the whole table for the attempts of a few minutes.
COST_BY_OWNER = """
SELECT owner_id, sum(cost_usd) FROM (
    SELECT (SELECT owner_id FROM items WHERE id = item_id) AS owner_id, cost_usd FROM enrichment_attempts
    WHERE {which} AND cost_usd > 0
) attempt
GROUP BY owner_id
"""
OF_HOUR = "finished_at >= %(start)s AND finished_at < %(start)s + interval '1 hour' AND id <= %(last_id)s"
# In this form, no plan walks along the index of finished_at, over the whole day.
OF_DAY = "id > %(after_id)s AND id <= %(last_id)s AND date_trunc('day', finished_at, 'UTC') = %(day)s"
# Writes nothing if nothing has changed. Not waiting for the disk: the next check records it again.
RECORD = """
WITH spent AS (
    SELECT owner_id FROM unnest(%(owners)s::bigint[]) AS owner_id, set_config('synchronous_commit', 'off', true)
),
ended AS (
    DELETE FROM enrichment_pauses WHERE reason = 'BUDGET' AND owner_id NOT IN (SELECT owner_id FROM spent)
)
INSERT INTO enrichment_pauses (owner_id, reason, until)
SELECT owner_id, 'BUDGET', %(until)s FROM spent
WHERE NOT EXISTS (
    SELECT FROM enrichment_pauses AS known
    WHERE known.owner_id = spent.owner_id AND known.reason = 'BUDGET' AND until = %(until)s
)
ORDER BY owner_id
ON CONFLICT (owner_id, reason) DO UPDATE SET until = excluded.until
"""


async def read_position(fetch: Fetch, *, day: datetime) -> tuple[int, Decimal]:
    """Return the newest attempt's id, and the cost of attempts of the day that were deleted."""
    ((newest_id, deleted_usd),) = await fetch(POSITION, {"day": day})
    return newest_id, deleted_usd


async def read_costs_of_hour(fetch: Fetch, *, start: datetime, last_id: int, by_owner: bool) -> dict[int, Decimal]:
    """Return the known costs in US dollars of the attempts that finished in this hour, by owner or as ALL_OWNERS."""
    statement = (COST_BY_OWNER if by_owner else COST).format(which=OF_HOUR)
    return dict(await fetch(statement, {"start": start, "last_id": last_id}))


async def read_newer_costs(
    fetch: Fetch, *, day: datetime, after_id: int, last_id: int, by_owner: bool
) -> dict[int, Decimal]:
    """Do the same for attempts that finished on this day, by their ids."""
    statement = (COST_BY_OWNER if by_owner else COST).format(which=OF_DAY)
    return dict(await fetch(statement, {"day": day, "after_id": after_id, "last_id": last_id}))


async def record_pauses(fetch: Fetch, owners: Iterable[int], *, until: datetime) -> None:
    """Pause these owners, or ALL_OWNERS, and no others."""
    await fetch(RECORD, {"owners": sorted(owners), "until": until})

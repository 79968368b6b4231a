"""The daily budget: what attempts have cost, and whose items wait because a budget is spent.

Workers record a pause for each owner whose budget is spent, or one for all owners (items.pauses). An attempt without a
known price counts as free.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from postgres.session import Fetch

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


async def read_costs(fetch: Fetch, *, start: datetime, end: datetime, by_owner: bool) -> dict[int, Decimal]:
    """Return the known costs in US dollars of the attempts that finished in this time, by owner or as ALL_OWNERS."""
    return dict(await fetch(COST_BY_OWNER if by_owner else COST, {"start": start, "end": end}))


async def record_pauses(fetch: Fetch, owners: Iterable[int], *, until: datetime) -> None:
    """Pause these owners, or ALL_OWNERS, and no others."""
    await fetch(RECORD, {"owners": sorted(owners), "until": until})

"""The vocabulary of an owner: the tags that the owner confirmed, most used first."""

from collections.abc import Collection

from postgres.session import Fetch

TAGS_COUNT = 30
ITEMS_COUNT = 500

# Tags of drafts do not count: a text that deceives the model could otherwise influence later drafts. The newest items
# are read along an index, so that the cost does not grow with the number of items.
MOST_USED = """
SELECT owner.id, used.tags
FROM unnest(%(owner_ids)s::bigint[]) AS owner (id)
CROSS JOIN LATERAL (
    SELECT array_agg(tag ORDER BY uses DESC, tag) AS tags
    FROM (
        SELECT tag, count(*) AS uses
        FROM (
            SELECT tags FROM items
            WHERE owner_id = owner.id AND status = 'ARCHIVED' AND tags <> '{}'
            ORDER BY confirmed_at DESC
            LIMIT %(items_count)s
        ) newest, unnest(newest.tags) AS tag
        GROUP BY tag
        ORDER BY uses DESC, tag
        LIMIT %(tags_count)s
    ) most_used
) used
"""


async def most_used_tags(fetch: Fetch, owner_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return up to TAGS_COUNT tags of each owner, from the ITEMS_COUNT items that were confirmed last."""
    rows = await fetch(MOST_USED, {"owner_ids": list(owner_ids), "items_count": ITEMS_COUNT, "tags_count": TAGS_COUNT})
    return {owner_id: tuple(tags or ()) for owner_id, tags in rows}

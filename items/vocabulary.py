"""The vocabulary of an owner: the tags that the owner confirmed, most used first."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection

from items.texts import comparable
from postgres.session import Fetch

TAGS_COUNT = 30
ITEMS_COUNT = 500

# Of the spellings of a tag, the most frequent stands for all of them, and of those the first in the alphabet.

# Tags of drafts do not count: a text that deceives the model could otherwise influence later drafts. The newest items
# are read along an index, so that the cost does not grow with the number of items.
MOST_USED = """
SELECT owner.id, used.tags
FROM unnest(%(owner_ids)s::bigint[]) AS owner (id)
CROSS JOIN LATERAL (
    SELECT array_agg(tag ORDER BY uses DESC, tag) AS tags
    FROM (
        SELECT mode() WITHIN GROUP (ORDER BY tag) AS tag, count(*) AS uses
        FROM (
            SELECT tags, tag_keys FROM items
            WHERE owner_id = owner.id AND status = 'ARCHIVED' AND tags <> '{}'
            ORDER BY confirmed_at DESC
            LIMIT %(items_count)s
        ) newest, unnest(newest.tags, newest.tag_keys) AS used (tag, key)
        WHERE tag IS NOT NULL
        GROUP BY coalesce(key, tag)
        ORDER BY uses DESC, tag
        LIMIT %(tags_count)s
    ) most_used
) used
"""

# All tags are counted for every page, because no index has their counts.
COUNTED = """
SELECT (array_agg(tag ORDER BY uses DESC, tag))[1] AS name, sum(uses)::bigint AS count, key
FROM (
    SELECT tag, coalesce(key, tag) COLLATE "C" AS key, count(*) AS uses
    FROM items, unnest(tags, tag_keys) AS used (tag, key)
    WHERE owner_id = %(owner_id)s AND status <> 'DISCARDED' AND tag IS NOT NULL
    GROUP BY 1, 2
) spellings
WHERE starts_with(key, %(prefix)s)
GROUP BY key
HAVING %(after_count)s::bigint IS NULL OR (-sum(uses), key) > (-%(after_count)s::bigint, %(after_key)s)
ORDER BY count DESC, key
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag in its most used spelling, the number of items that have it, and what it is compared by."""

    name: str
    count: int
    key: str


def tag_counts(owner: Any, *, limit: int, prefix: str = "", after: tuple[int, str] | None = None) -> list[TagCount]:
    """Return tags of an owner, most used first, after the count and the key of the last one seen."""
    count, key = after or (None, "")
    values = {"owner_id": owner.pk, "limit": limit, "prefix": comparable(prefix)}
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {**values, "after_count": count, "after_key": key})
        return [TagCount(*row) for row in cursor.fetchall()]


async def most_used_tags(fetch: Fetch, owner_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return up to TAGS_COUNT tags of each owner, from the ITEMS_COUNT items that were confirmed last."""
    rows = await fetch(MOST_USED, {"owner_ids": list(owner_ids), "items_count": ITEMS_COUNT, "tags_count": TAGS_COUNT})
    return {owner_id: tuple(tags or ()) for owner_id, tags in rows}

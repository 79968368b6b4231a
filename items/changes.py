"""What changed, for those who have it shown to them live.

The table is the truth and CHANNEL_CHANGED only a bell: whoever hears it asks `read_changes`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from postgres.session import Fetch

CHANNEL_CHANGED = "items_changed"
"""Where it rings when items changed that no worker holds, and after verdicts were written. The payload is empty."""

CHANGED = """
SELECT item.owner_id, item.id, item.status, item.title, item.updated_at
FROM unnest(%s::integer[], %s::timestamptz[]) AS watched (owner_id, since)
CROSS JOIN LATERAL (
    SELECT owner_id, id, status, title, updated_at FROM items
    WHERE owner_id = watched.owner_id AND updated_at > watched.since
    ORDER BY owner_id DESC, updated_at DESC
    LIMIT %s
) item
"""
# Nobody waits for the disk: what is lost in a crash is only a bell.
RING = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL_CHANGED}', '')"


class Change(NamedTuple):
    """How an item is since it last changed."""

    item_id: UUID
    status: str
    title: str | None
    updated_at: datetime


class Changes(NamedTuple):
    """What was found, by owner, newest first; and the database's time at which the reading began."""

    read_at: datetime
    by_owner: dict[int, list[Change]]


def read_changes(since_of: Callable[[datetime], Mapping[int, datetime]], *, limit: int) -> Changes:
    """The newest `limit` changes of each owner since that owner's time.

    `since_of` is told the database's time, and says which owners, and since when: the two clocks may differ.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (read_at,) = cursor.fetchone()
        since = since_of(read_at)
        cursor.execute(CHANGED, [list(since), list(since.values()), limit])
        by_owner: dict[int, list[Change]] = {}
        for owner_id, *change in cursor.fetchall():
            by_owner.setdefault(owner_id, []).append(Change(*change))
    return Changes(read_at=read_at, by_owner=by_owner)


async def notify_changed(fetch: Fetch) -> None:
    """Notify once, now. Never in a transaction that writes items: it would queue behind all others that notify."""
    await fetch(RING, {})

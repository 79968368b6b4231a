"""Changes of items, for live updates.

A notification on CHANNEL_CHANGED only says that something changed: call `read_changes` to find out what.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from postgres.session import Fetch

CHANNEL_CHANGED = "items_changed"
"""Notified when unclaimed items change, and after verdicts are written. The payload is empty."""

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
# Do not wait for the disk: only a notification can be lost.
NOTIFY = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL_CHANGED}', '')"


class Change(NamedTuple):
    """The current state of an item that changed."""

    item_id: UUID
    status: str
    title: str | None
    updated_at: datetime


class Changes(NamedTuple):
    """Changes by owner, newest first, and the time of the database at which reading began."""

    read_at: datetime
    by_owner: dict[int, list[Change]]


def read_changes(since_of: Callable[[datetime], Mapping[int, datetime]], *, limit: int) -> Changes:
    """Return the newest `limit` changes of each owner since that owner's time.

    `since_of` maps the time of the database, whose clock may differ from ours, to the owners and their times.
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
    """Notify at once. Never do this in a transaction that writes items: commits that notify wait for each other."""
    await fetch(NOTIFY, {})

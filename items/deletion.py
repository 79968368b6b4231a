"""Deletion of items and attempts in batches, each in a short transaction.

What `purge` deletes is skipped while another session has locked it, so that claims, verdicts and reviewers never wait.
The commits do not wait for the disk: after a crash, a batch is deleted again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from django.db import connection

from items.audit import attributed
from items.models.limits import TIMES

BATCH_SIZE = 500

# Both statements walk along an index, oldest first, from where the last batch ended. An item is never older than its
# last change, so that created_at bounds the walk. Only a restore changes a discarded item: updated_at is when it was
# discarded.
LOCK_DISCARDED = """
SELECT created_at, id FROM items
WHERE status = 'DISCARDED' AND created_at < %(before)s AND updated_at < %(before)s
  AND created_at >= %(start)s AND (created_at, id) > (%(start)s, %(id)s)
ORDER BY created_at, id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""
# Attempts of items that may be enriched again are kept, because the numbers of new attempts continue theirs.
LOCK_ATTEMPTS = """
SELECT finished_at, attempt.id FROM enrichment_attempts attempt JOIN items ON items.id = attempt.item_id
WHERE items.status = 'ARCHIVED' AND finished_at < %(before)s
  AND finished_at >= %(start)s AND (finished_at, attempt.id) > (%(start)s, %(id)s)
ORDER BY finished_at, attempt.id LIMIT %(limit)s
FOR UPDATE OF attempt SKIP LOCKED
"""
# Items are locked in the order of their keys, as everywhere. Those that wait come first, so that no worker claims them.
LOCK_OWNED = """
SELECT id FROM items WHERE id = ANY (ARRAY(
    SELECT id FROM items WHERE owner_id = %(owner)s {condition} LIMIT %(limit)s
))
ORDER BY id FOR UPDATE
"""
WAITING_FIRST = ("AND status = 'ENRICHING'", "")

# The admin shows the tokens and cost of this month and of the last day.
DELETE_ATTEMPTS = """
WITH deleted AS (
    DELETE FROM enrichment_attempts WHERE {column} = ANY (%(ids)s)
    RETURNING finished_at, prompt_tokens, completion_tokens, cost_usd
),
kept AS (
    INSERT INTO deleted_usage AS kept (start, prompt_tokens, completion_tokens, cost_usd)
    SELECT date_trunc('hour', finished_at, 'UTC'), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd)
    FROM deleted WHERE finished_at > now() - interval '40 days'
    GROUP BY 1 ORDER BY 1
    ON CONFLICT (start) DO UPDATE SET
        prompt_tokens = coalesce(
            kept.prompt_tokens + excluded.prompt_tokens, kept.prompt_tokens, excluded.prompt_tokens
        ),
        completion_tokens = coalesce(
            kept.completion_tokens + excluded.completion_tokens, kept.completion_tokens, excluded.completion_tokens
        ),
        cost_usd = coalesce(kept.cost_usd + excluded.cost_usd, kept.cost_usd, excluded.cost_usd)
)
SELECT count(*) FROM deleted
"""
DELETE_OLD_USAGE = "DELETE FROM deleted_usage WHERE start < now() - interval '40 days'"

COUNT_DISCARDED = "SELECT count(*) FROM items WHERE status = 'DISCARDED' AND updated_at < %(before)s"
COUNT_ATTEMPTS = """
SELECT count(*) FROM enrichment_attempts attempt JOIN items ON items.id = attempt.item_id
WHERE items.status = 'ARCHIVED' AND finished_at < %(before)s
"""


Row: TypeAlias = tuple[datetime, Any]


class Deleted(NamedTuple):
    """Numbers of rows."""

    items: int = 0
    attempts: int = 0


def delete_discarded(*, before: datetime) -> Iterator[Deleted]:
    """Delete the items that were discarded before this time, with their attempts. Yield after each batch."""
    last: Row = (TIMES[0], UUID(int=0))
    while True:
        with _short_transaction():
            rows = _lock_next(LOCK_DISCARDED, last, before=before)
            deleted = _delete_items([item_id for _, item_id in rows])
        yield deleted
        if len(rows) < BATCH_SIZE:
            return
        last = rows[-1]


def delete_attempts(*, before: datetime) -> Iterator[Deleted]:
    """Delete the attempts of archived items that finished before this time. Yield after each batch."""
    last: Row = (TIMES[0], 0)
    while True:
        with _short_transaction():
            rows = _lock_next(LOCK_ATTEMPTS, last, before=before)
            attempts = _delete_attempts([attempt_id for _, attempt_id in rows], column="id")
        yield Deleted(attempts=attempts)
        if len(rows) < BATCH_SIZE:
            return
        last = rows[-1]


def delete_items_of(owner_id: int) -> Iterator[Deleted]:
    """Delete all items of an owner, with their attempts. Calls in flight are cancelled. Yield after each batch."""
    for condition in WAITING_FIRST:
        statement = LOCK_OWNED.format(condition=condition)
        ids: list[UUID] | None = None
        while ids != []:
            with _short_transaction():
                rows = _fetch(statement, {"owner": owner_id, "limit": BATCH_SIZE})
                ids = [item_id for (item_id,) in rows]
                deleted = _delete_items(ids)
            yield deleted


def delete_old_usage() -> None:
    """Delete the sums that the admin no longer shows."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_OLD_USAGE)


def count_discarded(*, before: datetime) -> int:
    ((number,),) = _fetch(COUNT_DISCARDED, {"before": before})
    return int(number)


def count_attempts(*, before: datetime) -> int:
    """Count those of archived items."""
    ((number,),) = _fetch(COUNT_ATTEMPTS, {"before": before})
    return int(number)


@contextmanager
def _short_transaction() -> Iterator[None]:
    with attributed():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        yield


def _lock_next(statement: str, last: Row, *, before: datetime) -> list[Row]:
    start, last_id = last
    return _fetch(statement, {"before": before, "start": start, "id": last_id, "limit": BATCH_SIZE})


def _delete_items(ids: list[UUID]) -> Deleted:
    """Delete locked items. Their attempts go first, in one statement that keeps their sums."""
    attempts = _delete_attempts(ids, column="item_id")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM items WHERE id = ANY (%s)", [ids])
    return Deleted(items=len(ids), attempts=attempts)


def _delete_attempts(ids: list[Any], *, column: str) -> int:
    if not ids:
        return 0
    ((number,),) = _fetch(DELETE_ATTEMPTS.format(column=column), {"ids": ids})
    return int(number)


def _fetch(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())

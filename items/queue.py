"""The queue protocol: claim, renew, finish. All its SQL stands here.

The `items` table is the queue. Three columns carry the protocol:

- `available_at` is due, backing off until, or leased until. One clock, the database's: a claim whose worker
  died becomes due again by itself, and the ordinary claim recovers it.
- `fencing_token` rises whenever an item changes hands, so that a late verdict is recognised and dropped.
  No two claims ever get the same one, not even when a crash of the server took the first of them back.
- `attempt_count` is the budget. It starts afresh at each retry.

Between a claim and its verdict no lock and no transaction is held.
"""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from items import history
from items.claims import Claim, Finished, Verdict
from items.models import Item
from items.states import Status

CHANNEL_ENRICHING = "items_enriching"
"""Where the database rings when items become due. The payload is empty."""

CHANNEL_CANCELLED = "items_cancelled"
"""Where the database rings when a claimed item is discarded. The payload is its id."""

LISTENER_NAME = "litevault-listener"
"""The application name of every listener's connection: whoever looks in pg_stat_activity sees who is alive."""

BEFORE_ALL_OWNERS = 1 - 2**63

# Fair between owners: `turn` walks from owner to owner along the index items_claim, and each owner gets an
# equal share of the free slots. It reads a few index pages however long the queue is, because `(SELECT now())` hides
# the time from the planner: statistics from before a burst would have it fetch all that is due, and sort it.
# A lost claim is only a lost lease, so the commit does not wait for the disk. But its worker goes on, and must not
# meet its own token in the hands of the next: hence the long stride of chance, and no complaint about what is recorded.
CLAIM = """
WITH RECURSIVE turn (owner_id, room, place) AS (
    SELECT %(after_owner)s::bigint, 0::bigint, 0
    FROM set_config('synchronous_commit', 'off', true)
  UNION ALL
    SELECT next.owner_id, next.room, turn.place + (next.room > 0)::integer
    FROM turn CROSS JOIN LATERAL (
        SELECT first.owner_id::bigint, CASE WHEN %(per_owner)s = 0 THEN %(limit)s ELSE %(per_owner)s - (
            SELECT count(*) FROM items
            WHERE status = 'ENRICHING' AND available_at > (SELECT now())
              AND owner_id = first.owner_id AND claimed_by IS NOT NULL
        ) END AS room
        FROM (
            SELECT owner_id FROM items
            WHERE status = 'ENRICHING' AND available_at <= (SELECT now()) AND owner_id > turn.owner_id
            ORDER BY owner_id, available_at, id
            LIMIT 1
        ) first
    ) next
    WHERE turn.place < %(limit)s
),
share AS (
    SELECT ceil(%(limit)s::numeric / greatest(1, count(*))) AS size FROM turn WHERE room > 0
),
due AS (
    SELECT item.* FROM turn CROSS JOIN LATERAL (
        SELECT id, fencing_token, claimed_by, claimed_at FROM items
        WHERE status = 'ENRICHING' AND available_at <= (SELECT now()) AND owner_id = turn.owner_id
        ORDER BY owner_id, available_at, id
        LIMIT least(turn.room, (SELECT size FROM share))
        FOR NO KEY UPDATE SKIP LOCKED
    ) item
    WHERE turn.room > 0
    LIMIT %(limit)s
),
lost AS (
    INSERT INTO enrichment_attempts (item_id, number, fencing_token, worker, started_at, finished_at, outcome)
    SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM enrichment_attempts WHERE item_id = due.id),
           fencing_token, claimed_by, claimed_at, now(), 'LOST'
    FROM due WHERE claimed_by IS NOT NULL
    ON CONFLICT (item_id, fencing_token) DO NOTHING
)
UPDATE items SET
    available_at = now() + make_interval(secs => %(lease_seconds)s),
    fencing_token = items.fencing_token + 1 + floor(random() * 2147483648)::bigint,
    attempt_count = items.attempt_count + 1,
    claimed_at = now(),
    claimed_by = %(worker)s
FROM due WHERE items.id = due.id
RETURNING items.id, items.owner_id, items.raw_text, items.fencing_token, items.attempt_count
"""

RENEW = """
WITH claim AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(tokens)s::bigint[]) AS claim (id, token)
),
free AS (
    SELECT items.id FROM items
    JOIN claim ON items.id = claim.id AND items.fencing_token = claim.token AND items.status = 'ENRICHING'
    FOR NO KEY UPDATE OF items SKIP LOCKED
),
renewed AS (
    UPDATE items SET available_at = now() + make_interval(secs => %(lease_seconds)s)
    FROM free, set_config('synchronous_commit', 'off', true)
    WHERE items.id = free.id
)
SELECT items.id FROM items
JOIN claim ON items.id = claim.id AND items.fencing_token = claim.token AND items.status = 'ENRICHING'
"""

FINISH = """
UPDATE items SET
    status = verdict.status,
    title = coalesce(verdict.title, items.title),
    summary = coalesce(verdict.summary, items.summary),
    tags = coalesce(verdict.tags, items.tags),
    source_type = coalesce(verdict.source_type, items.source_type),
    enrichment_error = verdict.enrichment_error,
    available_at = now() + make_interval(secs => verdict.delay_seconds),
    attempt_count = items.attempt_count - verdict.refund,
    fencing_token = items.fencing_token + verdict.hand_back,
    claimed_at = NULL,
    claimed_by = NULL,
    updated_at = now()
FROM jsonb_to_recordset(%s::jsonb) AS verdict (
    id uuid, status text, title text, summary text, tags text[], source_type text, enrichment_error text,
    delay_seconds double precision, refund smallint, hand_back smallint
)
WHERE items.id = verdict.id
"""

NEXT_DUE = """
SELECT extract(epoch FROM min(available_at) - now()) FROM items WHERE status = 'ENRICHING' AND available_at > now()
"""


def claim(
    limit: int,
    *,
    worker: str,
    lease_seconds: float,
    after_owner: int = BEFORE_ALL_OWNERS,
    per_owner: int = 0,
) -> list[Claim]:
    """Take up to `limit` items that are due, in turn between the owners that come after `after_owner`.

    The items are the worker's until `lease_seconds` from now. Items that another worker is taking at this
    moment are skipped. An item whose last worker let its lease run out gets an attempt that says LOST.
    With `per_owner` above 0, no owner has more items than that in flight, in all workers together,
    but for those that two workers claim in the same instant.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "after_owner": after_owner,
                "limit": limit,
                "per_owner": per_owner,
                "lease_seconds": lease_seconds,
                "worker": worker,
            },
        )
        claimed_at = timezone.now()
        return [
            Claim(
                item_id=item_id,
                owner_id=owner_id,
                raw_text=raw_text,
                fencing_token=fencing_token,
                attempt=attempt,
                worker=worker,
                claimed_at=claimed_at,
            )
            for item_id, owner_id, raw_text, fencing_token, attempt in cursor.fetchall()
        ]


def renew(claims: Collection[Claim], *, lease_seconds: float) -> set[UUID]:
    """Lengthen the leases, and return the items that are still held.

    The others were discarded, or taken over after their lease had run out. An item that somebody has locked at this
    moment keeps its lease as it is: nobody waits for a lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            RENEW,
            {
                "ids": [held.item_id for held in claims],
                "tokens": [held.fencing_token for held in claims],
                "lease_seconds": lease_seconds,
            },
        )
        return {item_id for (item_id,) in cursor.fetchall()}


def next_due_in() -> float | None:
    """Seconds until the next item that backs off, or is leased, becomes due. None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_DUE)
        (seconds,) = cursor.fetchone()
        return None if seconds is None else float(seconds)


def finish(verdicts: Sequence[Verdict]) -> Finished:
    """Write the verdicts in one transaction, and say which did not count, and which must be given again.

    Each item is locked and looked at again: only one that is still ENRICHING under the same fencing token is
    written. Writing the same verdict twice, because a commit's answer was lost, changes nothing.
    """
    counted: list[Verdict] = []
    late: list[Verdict] = []
    with transaction.atomic():
        held = _lock(verdicts)
        locked = _locked_by_others(verdicts, held)
        for verdict in verdicts:
            if verdict in locked:
                continue
            is_untouched = held.get(verdict.claim.item_id) == (Status.ENRICHING, verdict.claim.fencing_token)
            (counted if is_untouched else late).append(verdict)
        _write(counted)
        history.record(counted)
        discarded = {item_id for item_id, (status, _) in held.items() if status == Status.DISCARDED}
        history.record_late([verdict for verdict in late if verdict.claim.item_id in held], discarded=discarded)
    return Finished(late=late, locked=locked)


def _lock(verdicts: Sequence[Verdict]) -> dict[UUID, tuple[str, int]]:
    """Lock the items, but for those that somebody else has locked: one row that is held must not hold up the others."""
    ids = {verdict.claim.item_id for verdict in verdicts}
    items = Item.objects.select_for_update(no_key=True, skip_locked=True).filter(id__in=ids)
    rows = items.values_list("id", "status", "fencing_token")
    return {item_id: (status, token) for item_id, status, token in rows}


def _locked_by_others(verdicts: Sequence[Verdict], held: Collection[UUID]) -> list[Verdict]:
    """Of the verdicts whose items we could not lock, those whose items exist."""
    missing = [verdict for verdict in verdicts if verdict.claim.item_id not in held]
    if not missing:
        return []
    ids = {verdict.claim.item_id for verdict in missing}
    existing = set(Item.objects.filter(id__in=ids).values_list("id", flat=True))
    return [verdict for verdict in missing if verdict.claim.item_id in existing]


def _write(verdicts: Sequence[Verdict]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [json.dumps([_changes(verdict) for verdict in verdicts])])
        if any(verdict.is_released for verdict in verdicts):
            # A peer goes on at once. No other verdict notifies: commits that notify queue behind one lock.
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL_ENRICHING])


def _changes(verdict: Verdict) -> dict[str, object]:
    return {
        "id": str(verdict.claim.item_id),
        "status": verdict.status,
        "title": verdict.title,
        "summary": verdict.summary,
        "tags": verdict.tags or None,
        "source_type": verdict.source_type,
        "enrichment_error": verdict.enrichment_error,
        "delay_seconds": verdict.delay_seconds,
        "refund": int(verdict.is_refunded),
        # Whoever claimed it has it no longer: the same verdict, written again, must not count again.
        "hand_back": int(verdict.status == Status.ENRICHING),
    }

"""The queue protocol: claim, renew, finish. Its SQL stands in items.statements and, that of
the claim, in migration 0009.

The `items` table is the queue. Three columns carry the protocol:

- `available_at` is due, backing off until, or leased until. One clock, the database's: a claim whose worker
  died becomes due again by itself, and the ordinary claim recovers it.
- `fencing_token` rises whenever an item changes hands, so that a late verdict is recognised and dropped.
  No two claims ever get the same one, not even when a crash of the server took the first of them back.
- `attempt_count` is the budget. It starts afresh at each retry.

Between a claim and its verdict no lock and no transaction is held.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from items import history
from items.claims import Claim, Finished, Verdict
from items.models import Item
from items.statements import CLAIM, FINISH, LOCK, NEXT_DUE, RENEW
from items.states import Status

CHANNEL_ENRICHING = "items_enriching"
"""Where the database rings when items become due. The payload is empty."""

CHANNEL_CANCELLED = "items_cancelled"
"""Where the database rings when a claimed item is discarded. The payload is its id."""

LISTENER_NAME = "litevault-listener"
"""How the application name of every listener's connection begins: pg_stat_activity shows who is alive."""

APPLICATION_NAME_BYTES = 63


def listener_name(worker: str) -> str:
    """With the worker's id, of which PostgreSQL keeps only ASCII. Of a long one the end tells more."""
    shown = worker.encode("ascii", "replace").decode()
    return f"{LISTENER_NAME} {shown[-(APPLICATION_NAME_BYTES - len(LISTENER_NAME) - 1) :]}"


BEFORE_ALL_OWNERS = 1 - 2**63

Parameters: TypeAlias = Mapping[str, Any]
Row: TypeAlias = tuple[Any, ...]
Fetch: TypeAlias = Callable[[str, Parameters], Awaitable[list[Row]]]
"""Runs one statement that is its own transaction, on whatever connection, and gives its rows."""


async def claim(
    fetch: Fetch,
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
    rows = await fetch(
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
        for item_id, owner_id, raw_text, fencing_token, attempt in rows
    ]


async def next_due_in(fetch: Fetch) -> float | None:
    """Seconds until the next item that backs off, or is leased, becomes due. None when there is none.

    Not above 0 if one is due now: it became due after the last claim, or something held it back.
    """
    ((seconds,),) = await fetch(NEXT_DUE, {})
    return None if seconds is None else float(seconds)


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
        if late:
            discarded = {item_id for item_id, (status, _) in held.items() if status == Status.DISCARDED}
            history.record_late([verdict for verdict in late if verdict.claim.item_id in held], discarded=discarded)
    return Finished(late=late, locked=locked)


def _lock(verdicts: Sequence[Verdict]) -> dict[UUID, tuple[str, int]]:
    """What the items say now, under a lock that lasts until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list({verdict.claim.item_id for verdict in verdicts})])
        return {item_id: (status, token) for item_id, status, token in cursor.fetchall()}


def _locked_by_others(verdicts: Sequence[Verdict], held: Collection[UUID]) -> list[Verdict]:
    """Of the verdicts whose items we could not lock, those whose items exist."""
    missing = [verdict for verdict in verdicts if verdict.claim.item_id not in held]
    if not missing:
        return []
    ids = {verdict.claim.item_id for verdict in missing}
    existing = set(Item.objects.filter(id__in=ids).values_list("id", flat=True))
    return [verdict for verdict in missing if verdict.claim.item_id in existing]


def _write(verdicts: Sequence[Verdict]) -> None:
    """Change the items, and add an attempt to each."""
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
        "fencing_token": verdict.claim.fencing_token,
        "worker": verdict.claim.worker,
        "started_at": verdict.started_at.isoformat(),
        "finished_at": verdict.finished_at.isoformat(),
        "outcome": verdict.outcome,
        "error_code": verdict.error_code,
        "model": verdict.model,
        "prompt_tokens": verdict.prompt_tokens,
        "completion_tokens": verdict.completion_tokens,
        "cost_usd": None if verdict.cost_usd is None else str(verdict.cost_usd),
    }

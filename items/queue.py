"""The queue protocol: claim, renew, finish. Its SQL stands in items.statements and, that of
the claim, in items/sql/claim.sql.

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

from django.utils import timezone

from items.claims import Claim, Finished, Verdict
from items.sql import QUEUE
from items.states import Status
from postgres.session import Fetch, Transaction

CHANNEL_ENRICHING = "items_enriching"
"""Where the database rings when items become due. The payload is empty."""

CHANNEL_CANCELLED = "items_cancelled"
"""Where the database rings when a claimed item is discarded. The payload is its id."""

WORKER_CHANNELS = (CHANNEL_ENRICHING, CHANNEL_CANCELLED)

LISTENER_NAME = "litevault-listener"
"""How the application name of every listener's connection begins: pg_stat_activity shows who is alive."""

APPLICATION_NAME_BYTES = 63


def listener_name(worker: str) -> str:
    """With the worker's id, of which PostgreSQL keeps only ASCII. Of a long one the end tells more."""
    shown = worker.encode("ascii", "replace").decode()
    return f"{LISTENER_NAME} {shown[-(APPLICATION_NAME_BYTES - len(LISTENER_NAME) - 1) :]}"


BEFORE_ALL_OWNERS = 1 - 2**63


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
        QUEUE["claim"],
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
    ((seconds,),) = await fetch(QUEUE["next_due"], {})
    return None if seconds is None else float(seconds)


async def renew(fetch: Fetch, claims: Collection[Claim], *, lease_seconds: float) -> set[UUID]:
    """Lengthen the leases, and return the items that are still held.

    The others were discarded, or taken over after their lease had run out. An item that somebody has locked at this
    moment keeps its lease as it is: nobody waits for a lock.
    """
    parameters = {
        "ids": [held.item_id for held in claims],
        "tokens": [held.fencing_token for held in claims],
        "lease_seconds": lease_seconds,
    }
    return {item_id for (item_id,) in await fetch(QUEUE["renew"], parameters)}


async def finish(transaction: Transaction, verdicts: Sequence[Verdict]) -> Finished:
    """Write the verdicts in one transaction, and return which are late, and which must be handed in again.

    Each item is locked and looked at again: only one that is still ENRICHING under the same fencing token is
    written. Writing the same verdict twice, because a commit's answer was lost, changes nothing.
    """
    counted: list[Verdict] = []
    late: list[Verdict] = []
    async with transaction() as fetch:
        rows = await fetch(QUEUE["lock"], {"ids": list({verdict.claim.item_id for verdict in verdicts})})
        held = {item_id: (status, token) for item_id, status, token in rows}
        locked = await _locked_by_others(fetch, [each for each in verdicts if each.claim.item_id not in held])
        for verdict in verdicts:
            if verdict in locked:
                continue
            is_untouched = held.get(verdict.claim.item_id) == (Status.ENRICHING, verdict.claim.fencing_token)
            (counted if is_untouched else late).append(verdict)
        if counted:
            await fetch(QUEUE["finish"], {"verdicts": _as_json(counted)})
        if late:
            await fetch(QUEUE["record_late"], {"verdicts": _as_json(late)})
        if any(verdict.is_released for verdict in counted):
            # A peer goes on at once. No other verdict notifies: commits that notify queue behind one lock.
            await fetch(QUEUE["notify_enriching"], {})
    return Finished(late=late, locked=locked)


async def _locked_by_others(fetch: Fetch, missing: Sequence[Verdict]) -> list[Verdict]:
    """Of the verdicts whose items could not be locked, return those whose items exist."""
    if not missing:
        return []
    rows = await fetch(QUEUE["existing"], {"ids": list({verdict.claim.item_id for verdict in missing})})
    existing = {item_id for (item_id,) in rows}
    return [verdict for verdict in missing if verdict.claim.item_id in existing]


def _as_json(verdicts: Sequence[Verdict]) -> str:
    return json.dumps([_changes(verdict) for verdict in verdicts])


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

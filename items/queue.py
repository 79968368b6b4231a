"""The queue protocol: claim, renew, finish. Its SQL is in items/sql/queue.sql and claim.sql.

The `items` table is the queue. Four columns carry the protocol:

- `available_at` is the time from which an item is due: after a capture, a backoff or a lease. Only the clock of the
  database counts. An item whose worker died becomes due again, and the next claim takes it.
- `fencing_token` rises whenever an item changes hands, so that a late verdict is recognised and not written.
  No two claims of an item get the same token, even if a crash of the server undid the first of them.
- `attempt_count` is the budget of attempts. A retry resets it.
- `refund_count` is how many attempts did not count, because of an outage or a rate limit. A retry resets it.

No lock and no transaction is held between a claim and its verdict.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from math import ceil
from uuid import UUID

from django.utils import timezone

from items.claims import Claim, Finished, Verdict
from items.sql import QUEUE
from items.states import Status
from items.texts import RAW_TEXT_HIGHEST_LIMIT, tag_keys
from postgres.session import Fetch, Transaction

CHANNEL_ENRICHING = "items_enriching"
"""Notified when items become due. The payload is empty."""

CHANNEL_CANCELLED = "items_cancelled"
"""Notified when a claimed item is discarded or deleted. The payload is its id."""

WORKER_CHANNELS = (CHANNEL_ENRICHING, CHANNEL_CANCELLED)

LISTENER_NAME = "litevault-listener"
"""The first part of the application name of every listener's connection, which pg_stat_activity shows."""

APPLICATION_NAME_BYTES = 63


def listener_name(worker: str) -> str:
    """Return the application name of a worker's listener, in ASCII. A long id loses its beginning."""
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
    text_length: int = RAW_TEXT_HIGHEST_LIMIT,
) -> list[Claim]:
    """Claim up to `limit` due items, shared equally between owners, beginning after `after_owner`.

    The lease lasts `lease_seconds`. Items that another worker is claiming are skipped. If a previous lease ran out,
    that attempt is recorded as LOST. With `per_owner` above 0, no owner has more items than that in flight, in all
    workers together, except for items that two workers claim in the same instant. A claim has the first `text_length`
    characters of the text.
    """
    rows = await fetch(
        QUEUE["claim"],
        {
            "after_owner": after_owner,
            "limit": limit,
            "per_owner": per_owner,
            "lease_seconds": lease_seconds,
            "worker": worker,
            "text_length": text_length,
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
            refunds=refunds,
            worker=worker,
            claimed_at=claimed_at,
            request_id=request_id,
            traceparent=traceparent,
        )
        for item_id, owner_id, raw_text, fencing_token, attempt, refunds, request_id, traceparent in rows
    ]


def all_served(claims: Sequence[Claim], limit: int) -> bool:
    """Return whether no owner has more items due, apart from locked ones: each got less than its share."""
    by_owner = Counter(claim.owner_id for claim in claims)
    return all(number < limit / len(by_owner) for number in by_owner.values())


def last_owner(claims: Sequence[Claim], limit: int) -> int:
    """Return the owner after whom the next claim begins, after a claim that took `limit` items.

    If an owner got more than a share among one owner more, there are no other owners. The next claim begins with the
    first owner, because after the last one it would find nothing.
    """
    by_owner = Counter(claim.owner_id for claim in claims)
    has_all_owners = max(by_owner.values()) > ceil(limit / (len(by_owner) + 1))
    return BEFORE_ALL_OWNERS if has_all_owners else max(by_owner)


async def next_due_in(fetch: Fetch) -> tuple[float | None, bool]:
    """Return the seconds until the next item becomes due, and whether owners are paused.

    The seconds are 0 or negative if an item is due now, and None if no item is waiting or leased.
    """
    ((seconds, has_pauses),) = await fetch(QUEUE["next_due"], {})
    return None if seconds is None else float(seconds), has_pauses


async def renew(fetch: Fetch, claims: Collection[Claim], *, lease_seconds: float) -> set[UUID]:
    """Extend the leases, and return the ids of the items that are still claimed.

    The others were discarded, or claimed by another worker after their lease ended. The lease of an item that another
    session has locked is not extended, so that renewing never waits for a lock.
    """
    parameters = {
        "ids": [each.item_id for each in claims],
        "tokens": [each.fencing_token for each in claims],
        "lease_seconds": lease_seconds,
    }
    return {item_id for (item_id,) in await fetch(QUEUE["renew"], parameters)}


async def finish(transaction: Transaction, verdicts: Sequence[Verdict]) -> Finished:
    """Write the verdicts in one transaction, and return those that are late and those that must be handed in again.

    Each item is locked, and written only if it is still ENRICHING under the same fencing token. Writing the same
    verdict twice, because the reply to a commit was lost, changes nothing.
    """
    current: list[Verdict] = []
    late: list[Verdict] = []
    async with transaction() as fetch:
        rows = await fetch(QUEUE["lock"], {"ids": list({verdict.claim.item_id for verdict in verdicts})})
        found = {item_id: (status, token) for item_id, status, token in rows}
        locked = await _locked_by_others(fetch, [each for each in verdicts if each.claim.item_id not in found])
        for verdict in verdicts:
            if verdict in locked:
                continue
            is_current = found.get(verdict.claim.item_id) == (Status.ENRICHING, verdict.claim.fencing_token)
            (current if is_current else late).append(verdict)
        if current:
            await fetch(QUEUE["finish"], {"verdicts": _as_json(current)})
        if late:
            await fetch(QUEUE["record_late"], {"verdicts": _as_json(late)})
        if any(verdict.is_released for verdict in current):
            # Let another worker claim them at once. Other verdicts do not notify: commits that notify wait for each
            # other.
            await fetch(QUEUE["notify_enriching"], {})
    return Finished(late=late, locked=locked)


async def _locked_by_others(fetch: Fetch, missing: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts whose items exist: those could not be locked."""
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
        "tag_keys": tag_keys(verdict.tags),
        "source_type": verdict.source_type,
        "enrichment_error": verdict.enrichment_error,
        "delay_seconds": verdict.delay_seconds,
        "refund": int(verdict.is_refunded),
        "outage": int(verdict.is_refunded and not verdict.is_released),
        # The claim has ended: the same verdict, written again, must not count again.
        "hand_back": int(verdict.status == Status.ENRICHING),
        "fencing_token": verdict.claim.fencing_token,
        "worker": verdict.claim.worker,
        "started_at": verdict.started_at.isoformat(),
        "finished_at": verdict.finished_at.isoformat(),
        "outcome": verdict.outcome,
        "error_code": verdict.error_code,
        "error_reason": verdict.error_reason,
        "model": verdict.model,
        "prompt_tokens": verdict.prompt_tokens,
        "completion_tokens": verdict.completion_tokens,
        "cost_usd": None if verdict.cost_usd is None else str(verdict.cost_usd),
        "tags_filled": verdict.tags_filled,
    }

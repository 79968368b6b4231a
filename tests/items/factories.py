"""Items in any status, with consistent columns."""

from datetime import timedelta
from typing import cast

from django.contrib.auth.models import User
from django.utils import timezone

from items.models import EnrichmentAttempt, Item
from items.states import TRANSITIONS, Action, Outcome, SourceType, Status

RAW_TEXT = "Vacuum keeps the visibility map fresh. Index-only scans need it."
RESTORED = Status.READY_TO_CONFIRM
"""Where make_item's discarded item was."""
RESULT: dict[str, object] = {
    "title": "What vacuum does",
    "summary": "Vacuum keeps the visibility map fresh for index-only scans.",
    "tags": ["postgresql", "vacuum", "index"],
    "source_type": SourceType.NOTE,
}
TIMEOUT = "LLM_TIMEOUT: The model did not answer in time."


def make_item(owner: User, *, status: str = Status.ENRICHING, **fields: object) -> Item:
    """Save an item that satisfies every constraint of its status. `fields` overrides any column."""
    columns = {"owner": owner, "raw_text": RAW_TEXT, "status": status, **_usual(status), **fields}
    return cast(Item, Item.objects.create(**columns))


def make_attempt(
    item: Item, *, number: int = 1, outcome: str = Outcome.SUCCEEDED, **fields: object
) -> EnrichmentAttempt:
    """Save one finished attempt of half a second. A failed one timed out."""
    now = timezone.now()
    usual = {
        "fencing_token": number,
        "worker": "worker-1",
        "started_at": now - timedelta(milliseconds=500),
        "finished_at": now,
        "error_code": "LLM_TIMEOUT" if outcome == Outcome.FAILED else None,
    }
    return EnrichmentAttempt.objects.create(**{"item": item, "number": number, "outcome": outcome, **usual, **fields})


def _usual(status: str) -> dict[str, object]:
    match status:
        case Status.READY_TO_CONFIRM | Status.DISCARDED:
            return RESULT
        case Status.ARCHIVED:
            return {**RESULT, "confirmed_at": timezone.now()}
        case Status.FAILED:
            return {"enrichment_error": TIMEOUT}
        case _:
            return {}


def after(item: Item, action: Action) -> Status | None:
    """Return the status of a made item after the action, or None if the action is refused."""
    if action not in item.allowed_actions:
        return None
    return TRANSITIONS[Status(item.status)][action] or RESTORED

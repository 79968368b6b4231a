"""What the page says after an action: what was done, what was not, and why. No text of an item stands in it."""

from collections.abc import Mapping
from types import MappingProxyType

import structlog
from django.contrib import messages
from django.http import HttpRequest

from items.admin.batches import BATCH, Tally
from items.admin.counting import Count
from items.admin.words import minutes_in_words
from items.states import Action, InvalidTransition, Status, statuses_allowing

log = structlog.get_logger(__name__)

DONE: Mapping[Action, str] = MappingProxyType(
    {
        Action.EDIT: "edited",
        Action.CONFIRM: "confirmed and archived",
        Action.RETRY: "sent back to enrichment",
        Action.DISCARD: "discarded",
    }
)

GONE = "The item does not exist any more: it was deleted with its owner. Nothing was changed."
CHANGED_MEANWHILE = "The item was changed while you looked at it. Open it again to see what it says now."


def report(request: HttpRequest, action: Action, tally: Tally) -> None:
    log.info(
        "items.reviewed",
        action=action.value,
        changed=tally.moved,
        refused=tally.refused.number,
        left=tally.left.number,
        by=request.user.pk,
    )
    messages.add_message(
        request,
        messages.SUCCESS if tally.moved else messages.WARNING,
        f"{Count(tally.moved).of_items} {DONE[action]}.{_pace(tally)}",
    )
    if tally.refused.number:
        messages.warning(request, f"{tally.refused.of_items} refused: {condition(action)}")
    if tally.gone:
        messages.warning(request, f"{Count(tally.gone).of_items} not found: deleted together with the owner.")
    if tally.left.number:
        messages.warning(
            request, f"The time was over: {tally.left.of_items} still to go. Run the action once more to go on."
        )


def refusal(error: InvalidTransition) -> str:
    """Why an action on one item did nothing."""
    status = Status(error.status).label
    return f"Not {DONE[error.action]}: the item has the status “{status}” now, and {condition(error.action)}"


def condition(action: Action) -> str:
    allowed = statuses_allowing(action)
    others = [status for status in Status if status not in allowed]
    if len(others) == 1:
        return f"one with the status “{others[0].label}” cannot be."
    return f"only one with the status {' or '.join(f'“{status.label}”' for status in allowed)} can be."


def _pace(tally: Tally) -> str:
    if not tally.minutes or not tally.moved:
        return ""
    return f" {BATCH} are due now, the others {BATCH} a minute, the last in {minutes_in_words(tally.minutes)}."

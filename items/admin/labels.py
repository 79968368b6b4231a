"""How the pages write counts, durations, items and what came of an action. None of it quotes an item's text."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from items.models import Item
from items.states import Action, InvalidTransition, Status, statuses_allowing

DASH = "\N{EN DASH}"
TENTHS_BELOW_SECONDS = 10

DONE: Mapping[Action, str] = MappingProxyType(
    {
        Action.EDIT: "edited",
        Action.CONFIRM: "confirmed and archived",
        Action.RETRY: "sent back to enrichment",
        Action.REDRAFT: "sent to be drafted again",
        Action.RESTORE: "restored",
        Action.DISCARD: "discarded",
    }
)

# What the status alone does not decide.
RESERVATIONS: Mapping[Action, str] = MappingProxyType(
    {
        Action.REDRAFT: ", and archived ones only if they were captured without AI",
        Action.RESTORE: ", and failed ones only if they have a draft from before",
    }
)

GONE = "The item no longer exists: it was deleted with its owner. Nothing was changed."
NO_MORE = "That was the last item of its status in this list."
CHANGED_MEANWHILE = "The item was changed while you had it open. Open it again to see the current version."


@dataclass(frozen=True, slots=True)
class Count:
    """A number of items, exact or an estimate of PostgreSQL's planner."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        """Round an estimate to two digits."""
        if self.is_exact:
            return f"{self.number:,}"
        unit = 10 ** max(0, len(str(self.number)) - 2)
        return f"about {round(self.number / unit) * unit:,}"

    @property
    def of_items(self) -> str:
        return f"{self} item{'' if self.number == 1 else 's'}"


def duration(seconds: float) -> str:
    """40 ms, 2.5 s, 50 s, 3 min, 5 h or 2 d. Clocks of two machines differ, so a negative duration becomes 0 ms."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < TENTHS_BELOW_SECONDS:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def hours_and_minutes(minutes: int) -> str:
    """40 min, or 2 h 5 min."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def short_id(item: Item) -> str:
    return str(item.pk)[:8]


def item_name(item: Item) -> str:
    return f"“{item.title}”" if item.title else short_id(item)


def refusal(error: InvalidTransition) -> str:
    """Explain why an action on one item changed nothing."""
    status = Status(error.status).label
    return f"The item was not {DONE[error.action]}: its status is “{status}” now, and {condition(error.action)}"


def condition(action: Action) -> str:
    """Name the statuses that allow the action, or the only one that does not."""
    allowed = statuses_allowing(action)
    others = [status for status in Status if status not in allowed]
    if len(others) == 1:
        return f"items with the status “{others[0].label}” cannot be {DONE[action]}."
    statuses = " or ".join(f"“{status.label}”" for status in allowed)
    return f"only items with the status {statuses} can be {DONE[action]}{RESERVATIONS.get(action, '')}."

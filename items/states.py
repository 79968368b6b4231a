"""The life of an item: its statuses, and the actions that change them.

::

                ┌────────── retry ───────────┐
                ▼                            │
    capture → ENRICHING ── fail ──────────→ FAILED
                │ │  ▲                       │
                │ │  └── redraft ──┐         │
                │ └─ succeed → READY_TO_CONFIRM ─ confirm → ARCHIVED
                └── discard ──────┴──────────┴──── discard ──┴──→ DISCARDED ─ restore → where it was

An item that was captured without enrichment can be redrafted when it is archived. If a redraft fails, `restore` takes
the item back to where it was, with the draft that it still has.

The worker takes `succeed` and `fail`, the owner all others.
This module has no side effects. The database repeats its rules in CHECK constraints and triggers.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from django.db.models import TextChoices


class Status(TextChoices):
    """Where an item is in its life."""

    ENRICHING = "ENRICHING", "Enriching"
    READY_TO_CONFIRM = "READY_TO_CONFIRM", "Ready to confirm"
    FAILED = "FAILED", "Failed"
    ARCHIVED = "ARCHIVED", "Archived"
    DISCARDED = "DISCARDED", "Discarded"


class SourceType(TextChoices):
    """The kind of a captured text."""

    NOTE = "NOTE", "Note"
    ARTICLE = "ARTICLE", "Article"


class EnrichmentMode(TextChoices):
    """The origin of the title: the model, or the first line of the text."""

    AI = "AI", "AI"
    MANUAL = "MANUAL", "Manual"


class Outcome(TextChoices):
    """The end of an attempt."""

    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled: the item was discarded meanwhile"
    RELEASED = "RELEASED", "Released: the worker was told to stop"
    LOST = "LOST", "Lost: the worker died or was cut off"
    STALE = "STALE", "Stale: the result came after the item had moved on"


class Action(TextChoices):
    """What an owner can do with an item."""

    EDIT = "edit", "Edit"
    CONFIRM = "confirm", "Confirm"
    RETRY = "retry", "Retry"
    REDRAFT = "redraft", "Draft again"
    RESTORE = "restore", "Restore"
    DISCARD = "discard", "Discard"


TRANSITIONS: Mapping[Status, Mapping[Action, Status | None]] = MappingProxyType(
    {
        Status.ENRICHING: {Action.DISCARD: Status.DISCARDED},
        Status.READY_TO_CONFIRM: {
            Action.EDIT: Status.READY_TO_CONFIRM,
            Action.CONFIRM: Status.ARCHIVED,
            Action.REDRAFT: Status.ENRICHING,
            Action.DISCARD: Status.DISCARDED,
        },
        Status.FAILED: {Action.RETRY: Status.ENRICHING, Action.RESTORE: None, Action.DISCARD: Status.DISCARDED},
        Status.ARCHIVED: {
            Action.EDIT: Status.ARCHIVED,
            Action.REDRAFT: Status.ENRICHING,
            Action.DISCARD: Status.DISCARDED,
        },
        Status.DISCARDED: {Action.RESTORE: None},
    }
)
"""The next status for each action. None is the status that the item had before.

Two pairs have a condition, see allowed_actions.
"""

PENDING_STATUSES = (Status.ENRICHING, Status.READY_TO_CONFIRM, Status.FAILED)
"""The statuses that need attention, of a worker or of the owner."""

REDRAFTABLE_STATUSES = tuple(status for status, actions in TRANSITIONS.items() if Action.REDRAFT in actions)


class InvalidTransition(Exception):
    """The item does not allow the action now."""

    def __init__(self, status: Status, action: Action, *, allowed: tuple[Action, ...] | None = None) -> None:
        super().__init__(f"An item that is {status} does not allow the action {action}.")
        self.status = status
        self.action = action
        self.allowed_actions = allowed_actions(status) if allowed is None else allowed


@cache
def allowed_actions(
    status: Status, *, mode: str = EnrichmentMode.AI, redrafted_from: str | None = None
) -> tuple[Action, ...]:
    """Return the actions that the item allows.

    An archived item can be redrafted if no model has drafted it, and a failed item restored if it was redrafted.
    """
    refused = set()
    if status == Status.ARCHIVED and mode != EnrichmentMode.MANUAL:
        refused.add(Action.REDRAFT)
    if status == Status.FAILED and redrafted_from is None:
        refused.add(Action.RESTORE)
    return tuple(action for action in TRANSITIONS[status] if action not in refused)


def statuses_allowing(action: Action) -> tuple[Status, ...]:
    """Return the statuses that allow the action, at least for some items."""
    return tuple(status for status, actions in TRANSITIONS.items() if action in actions)

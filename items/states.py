"""The life of an item: its statuses, and the actions that change them.

::

                ┌────────── retry ───────────┐
                ▼                            │
    capture → ENRICHING ── fail ──────────→ FAILED
                │ │                          │
                │ └─ succeed → READY_TO_CONFIRM ─ confirm → ARCHIVED
                └── discard ──────┴──────────┴──── discard ──┴──→ DISCARDED (final)

The worker takes `succeed` and `fail`, the owner all others.
This module has no side effects. The database repeats its rules in CHECK constraints and triggers.
"""

from collections.abc import Mapping
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
    DISCARD = "discard", "Discard"


TRANSITIONS: Mapping[Status, Mapping[Action, Status]] = MappingProxyType(
    {
        Status.ENRICHING: {Action.DISCARD: Status.DISCARDED},
        Status.READY_TO_CONFIRM: {
            Action.EDIT: Status.READY_TO_CONFIRM,
            Action.CONFIRM: Status.ARCHIVED,
            Action.DISCARD: Status.DISCARDED,
        },
        Status.FAILED: {Action.RETRY: Status.ENRICHING, Action.DISCARD: Status.DISCARDED},
        Status.ARCHIVED: {Action.EDIT: Status.ARCHIVED, Action.DISCARD: Status.DISCARDED},
        Status.DISCARDED: {},
    }
)

PENDING_STATUSES = (Status.ENRICHING, Status.READY_TO_CONFIRM, Status.FAILED)
"""The statuses that need attention, of a worker or of the owner."""


class InvalidTransition(Exception):
    """The current status of the item does not allow the action."""

    def __init__(self, status: Status, action: Action) -> None:
        super().__init__(f"An item that is {status} does not allow the action {action}.")
        self.status = status
        self.action = action


def allowed_actions(status: Status) -> tuple[Action, ...]:
    """Return the actions that the status allows."""
    return tuple(TRANSITIONS[status])


def statuses_allowing(action: Action) -> tuple[Status, ...]:
    """Return the statuses that allow the action."""
    return tuple(status for status, actions in TRANSITIONS.items() if action in actions)


def next_status(status: Status, action: Action) -> Status:
    """Return the status after the action. Raises InvalidTransition."""
    try:
        return TRANSITIONS[status][action]
    except KeyError:
        raise InvalidTransition(status, action) from None

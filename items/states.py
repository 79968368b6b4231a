"""The life of an item: its statuses, the actions that move it, and who may do them.

::

                ┌────────── retry ───────────┐
                ▼                            │
    capture → ENRICHING ── fail ──────────→ FAILED
                │ │                          │
                │ └─ succeed → READY_TO_CONFIRM ─ confirm → ARCHIVED
                └── discard ──────┴──────────┴──── discard ──┴──→ DISCARDED (final)

`succeed` and `fail` belong to the worker; the rest belong to the owner.
This module is pure: the database repeats its rules as CHECK constraints and triggers.
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
    """What kind of text was captured."""

    NOTE = "NOTE", "Note"
    ARTICLE = "ARTICLE", "Article"


class EnrichmentMode(TextChoices):
    """Who gave the item its title: the model, or the person who captured it."""

    AI = "AI", "AI"
    MANUAL = "MANUAL", "Manual"


class Outcome(TextChoices):
    """How an attempt ended."""

    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled: the item was discarded meanwhile"
    RELEASED = "RELEASED", "Released: the worker was told to stop"
    LOST = "LOST", "Lost: the worker died or was cut off"
    STALE = "STALE", "Stale: the result came after the item had moved on"


class Action(TextChoices):
    """What the owner of an item may do with it."""

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
"""The statuses that ask for attention: the machine's, or the owner's."""


class InvalidTransition(Exception):
    """The action is not allowed in the status that the item has now."""

    def __init__(self, status: Status, action: Action) -> None:
        super().__init__(f"An item that is {status} does not take the action {action}.")
        self.status = status
        self.action = action


def allowed_actions(status: Status) -> tuple[Action, ...]:
    """What the owner may do with an item that has this status."""
    return tuple(TRANSITIONS[status])


def statuses_allowing(action: Action) -> tuple[Status, ...]:
    """The statuses from which an action may start."""
    return tuple(status for status, actions in TRANSITIONS.items() if action in actions)


def next_status(status: Status, action: Action) -> Status:
    """Where the action leads. Raises InvalidTransition where it leads nowhere."""
    try:
        return TRANSITIONS[status][action]
    except KeyError:
        raise InvalidTransition(status, action) from None

"""The transitions, as an independent table."""

from itertools import product

import pytest

from items.states import (
    TRANSITIONS,
    Action,
    EnrichmentMode,
    InvalidTransition,
    Status,
    allowed_actions,
    statuses_allowing,
)

LIFE = {
    (Status.ENRICHING, Action.DISCARD): Status.DISCARDED,
    (Status.READY_TO_CONFIRM, Action.EDIT): Status.READY_TO_CONFIRM,
    (Status.READY_TO_CONFIRM, Action.CONFIRM): Status.ARCHIVED,
    (Status.READY_TO_CONFIRM, Action.REDRAFT): Status.ENRICHING,
    (Status.READY_TO_CONFIRM, Action.DISCARD): Status.DISCARDED,
    (Status.FAILED, Action.RETRY): Status.ENRICHING,
    (Status.FAILED, Action.RESTORE): None,
    (Status.FAILED, Action.DISCARD): Status.DISCARDED,
    (Status.ARCHIVED, Action.EDIT): Status.ARCHIVED,
    (Status.ARCHIVED, Action.REDRAFT): Status.ENRICHING,
    (Status.ARCHIVED, Action.DISCARD): Status.DISCARDED,
    (Status.DISCARDED, Action.RESTORE): None,
}
REFUSED_AT_FIRST = {(Status.FAILED, Action.RESTORE), (Status.ARCHIVED, Action.REDRAFT)}


def test_transitions_are_those_of_the_table() -> None:
    assert {(status, action): after for status, moves in TRANSITIONS.items() for action, after in moves.items()} == LIFE


@pytest.mark.parametrize("status", Status)
def test_allowed_actions_are_those_with_a_transition(status: Status) -> None:
    expected = [action for before, action in LIFE if before == status and (before, action) not in REFUSED_AT_FIRST]

    assert allowed_actions(status) == tuple(expected)


@pytest.mark.parametrize("status", Status)
def test_manual_or_redrafted_items_allow_all_of_the_table(status: Status) -> None:
    allowed = allowed_actions(status, mode=EnrichmentMode.MANUAL, redrafted_from=Status.ARCHIVED)

    assert allowed == tuple(action for before, action in LIFE if before == status)


@pytest.mark.parametrize(("status", "action"), list(product(Status, Action)))
def test_refusal_names_status_and_action(status: Status, action: Action) -> None:
    refusal = InvalidTransition(status, action)

    assert (refusal.status, refusal.action) == (status, action)
    assert str(refusal) == f"An item that is {status} does not allow the action {action}."
    assert refusal.allowed_actions == allowed_actions(status)


def test_refusal_names_the_actions_that_the_item_itself_allows() -> None:
    allowed = allowed_actions(Status.FAILED, redrafted_from=Status.ARCHIVED)

    refusal = InvalidTransition(Status.FAILED, Action.CONFIRM, allowed=allowed)

    assert Action.RESTORE in refusal.allowed_actions
    assert InvalidTransition(Status.FAILED, Action.CONFIRM, allowed=()).allowed_actions == ()


@pytest.mark.parametrize("action", Action)
def test_statuses_allowing_an_action_are_those_with_a_transition(action: Action) -> None:
    assert statuses_allowing(action) == tuple(status for status, allowed in LIFE if allowed == action)

"""The transitions, as an independent table."""

from itertools import product

import pytest

from items.states import Action, InvalidTransition, Status, allowed_actions, next_status, statuses_allowing

LIFE = {
    (Status.ENRICHING, Action.DISCARD): Status.DISCARDED,
    (Status.READY_TO_CONFIRM, Action.EDIT): Status.READY_TO_CONFIRM,
    (Status.READY_TO_CONFIRM, Action.CONFIRM): Status.ARCHIVED,
    (Status.READY_TO_CONFIRM, Action.DISCARD): Status.DISCARDED,
    (Status.FAILED, Action.RETRY): Status.ENRICHING,
    (Status.FAILED, Action.DISCARD): Status.DISCARDED,
    (Status.ARCHIVED, Action.EDIT): Status.ARCHIVED,
    (Status.ARCHIVED, Action.DISCARD): Status.DISCARDED,
}


@pytest.mark.parametrize(("status", "action"), LIFE)
def test_action_leads_to_the_next_status(status: Status, action: Action) -> None:
    assert next_status(status, action) == LIFE[status, action]


@pytest.mark.parametrize(("status", "action"), [pair for pair in product(Status, Action) if pair not in LIFE])
def test_action_without_a_transition_is_refused(status: Status, action: Action) -> None:
    with pytest.raises(InvalidTransition) as raised:
        next_status(status, action)

    assert (raised.value.status, raised.value.action) == (status, action)
    assert str(raised.value) == f"An item that is {status} does not allow the action {action}."
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("status", Status)
def test_allowed_actions_are_those_with_a_transition(status: Status) -> None:
    assert allowed_actions(status) == tuple(action for before, action in LIFE if before == status)


@pytest.mark.parametrize("action", Action)
def test_statuses_allowing_an_action_are_those_with_a_transition(action: Action) -> None:
    assert statuses_allowing(action) == tuple(status for status, allowed in LIFE if allowed == action)

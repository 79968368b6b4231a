"""Every action in every status."""

from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Action, EnrichmentMode, Status
from tests.items.api.client import Api, problem
from tests.items.factories import after, make_item

PAIRS = list(product(Status, Action))


def perform(api: Api, action: Action, item: Item, **headers: str) -> Any:
    match action:
        case Action.EDIT:
            return api.patch(f"/items/{item.id}", {"title": "A better title"}, **headers)
        case Action.RETRY | Action.REDRAFT | Action.RESTORE:
            return api.post(f"/items/{item.id}/{action}", **headers)
        case _:
            return api.patch(f"/items/{item.id}", {"action": action}, **headers)


@pytest.mark.parametrize(("status", "action"), PAIRS)
@pytest.mark.parametrize("fields", [{}, {"enrichment_mode": EnrichmentMode.MANUAL}], ids=["AI", "manual"])
def test_action_leads_to_the_next_status_or_is_refused(
    owner: User, status: Status, action: Action, fields: dict[str, str]
) -> None:
    item = make_item(owner, status=status, **fields)
    expected = after(item, action)

    response = perform(Api(owner), action, item)

    answer = response.json()
    before = item.updated_at
    item.refresh_from_db()
    if expected:
        assert response.status_code == 200
        assert answer["status"] == item.status == expected
        assert answer["allowedActions"] == list(item.allowed_actions)
    else:
        assert problem(response) == (409, "INVALID_STATE_TRANSITION")
        assert answer["error"]["details"] == {
            "currentState": status,
            "attemptedAction": action,
            "allowedActions": list(item.allowed_actions),
        }
        assert (item.status, item.updated_at) == (status, before)


@pytest.mark.parametrize(("status", "action"), PAIRS)
def test_stale_etag_is_refused_first(owner: User, status: Status, action: Action) -> None:
    item = make_item(owner, status=status)

    response = perform(Api(owner), action, item, If_Match='"stale"')

    assert problem(response) == (412, "STALE")
    before = item.updated_at
    item.refresh_from_db()
    assert (item.status, item.updated_at) == (status, before)


def test_confirm_saves_last_edits(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = Api(owner).patch(
        f"/items/{item.id}",
        {"action": "confirm", "title": " Mine ", "summary": "New.\nTwo lines.", "tags": [" Big  DATA ", "sql", "SQL"]},
    )

    answer = response.json()
    assert answer["status"] == Status.ARCHIVED
    assert answer["confirmedAt"] is not None
    assert (answer["title"], answer["summary"]) == ("Mine", "New.\nTwo lines.")
    assert answer["tags"] == ["big data", "sql"]


def test_edit_does_not_change_other_fields(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED)

    response = Api(owner).patch(f"/items/{item.id}", {"tags": []})

    answer = response.json()
    assert answer["tags"] == []
    assert (answer["title"], answer["summary"]) == (item.title, item.summary)


def test_edit_at_every_limit_is_saved(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    edits = {"title": "t" * 100, "summary": "s" * 500, "tags": [f"{n:0>50}" for n in range(20)]}

    response = Api(owner).patch(f"/items/{item.id}", edits)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in edits} == edits


def test_repeated_tag_does_not_count_towards_the_limit(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED)

    response = Api(owner).patch(f"/items/{item.id}", {"tags": [*(f"tag {n}" for n in range(20)), " TAG  0"]})

    assert len(response.json()["tags"]) == 20


def test_retry_clears_the_error_and_resets_the_budget(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED, attempt_count=3)

    response = Api(owner).post(f"/items/{item.id}/retry")

    assert response.json()["enrichmentError"] is None
    item.refresh_from_db()
    assert item.attempt_count == 0


def test_empty_tags_of_an_enriching_item_are_a_conflict(owner: User) -> None:
    item = make_item(owner, status=Status.ENRICHING)

    response = Api(owner).patch(f"/items/{item.id}", {"tags": []})

    assert problem(response) == (409, "INVALID_STATE_TRANSITION")

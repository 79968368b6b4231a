"""GET /items/{id}."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from items.states import Outcome, Status
from tests.items.api.client import Api
from tests.items.factories import make_attempt, make_item


def test_failed_item_has_the_reason_of_its_error(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    shown = Api(owner).get(f"/items/{item.id}").json()
    (listed,) = Api(owner).get("/items").json()["items"]

    assert shown["errorReason"] == listed["errorReason"] == "TIMED_OUT"


def test_detail_shows_every_attempt_in_order(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    succeeded: dict[str, Any] = {
        "model": "openai/gpt-4o-mini",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": Decimal("0.00001"),
    }
    make_attempt(item, number=2, **succeeded)
    make_attempt(item, number=1, outcome=Outcome.FAILED)

    attempts = Api(owner).get(f"/items/{item.id}").json()["attempts"]

    assert [(attempt["number"], attempt["outcome"]) for attempt in attempts] == [(1, "FAILED"), (2, "SUCCEEDED")]
    assert attempts[0]["errorCode"] == "LLM_TIMEOUT"
    assert attempts[0]["errorReason"] == "TIMED_OUT"
    assert attempts[1]["costUsd"] == "0.00001000"
    assert attempts[1]["durationMs"] == 500
    assert list(attempts[1]) == [
        "number",
        "startedAt",
        "finishedAt",
        "outcome",
        "errorCode",
        "errorReason",
        "model",
        "promptTokens",
        "completionTokens",
        "costUsd",
        "durationMs",
    ]


def spent(prompt_tokens: int, completion_tokens: int, cost: str | None) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cost_usd": None if cost is None else Decimal(cost),
    }


def test_detail_sums_usage_of_all_attempts(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    make_attempt(item, number=1, outcome=Outcome.FAILED, **spent(300, 30, "0.0003"))
    make_attempt(item, number=2, outcome=Outcome.LOST)
    make_attempt(item, number=3, outcome=Outcome.STALE, **spent(20, 2, "0.00000002"))
    make_attempt(item, number=4, **spent(1, 0, None))

    usage = Api(owner).get(f"/items/{item.id}").json()["usage"]

    assert usage == {"promptTokens": 321, "completionTokens": 32, "costUsd": "0.00030002"}


@pytest.mark.parametrize("attempts", [0, 1])
def test_unknown_usage_is_null(owner: User, attempts: int) -> None:
    item = make_item(owner)
    for _ in range(attempts):
        make_attempt(item, outcome=Outcome.RELEASED)

    usage = Api(owner).get(f"/items/{item.id}").json()["usage"]

    assert usage == {"promptTokens": None, "completionTokens": None, "costUsd": None}


def test_sum_may_exceed_the_limit_of_an_attempt(owner: User) -> None:
    item = make_item(owner)
    for number in (1, 2):
        make_attempt(item, number=number, **spent(2**31 - 1, 0, "9999.99999999"))

    usage = Api(owner).get(f"/items/{item.id}").json()["usage"]

    assert usage == {"promptTokens": 2**32 - 2, "completionTokens": 0, "costUsd": "19999.99999998"}


def test_attempts_and_their_sum_are_one_query(owner: User) -> None:
    item = make_item(owner)
    make_attempt(item, **spent(1, 1, None))
    api = Api(owner)

    with CaptureQueriesContext(connection) as queries:
        api.get(f"/items/{item.id}")

    assert len([query for query in queries if "enrichment_attempts" in query["sql"]]) == 1


def test_discarded_item_can_still_be_read_by_its_id(owner: User) -> None:
    item = make_item(owner, status=Status.DISCARDED)

    response = Api(owner).get(f"/items/{item.id}")

    assert response.json()["status"] == "DISCARDED"
    assert response.json()["allowedActions"] == ["restore"]


def test_replaced_draft_is_shown_with_the_item(owner: User) -> None:
    draft = {"title": "Before", "summary": None, "tags": ["a"], "sourceType": "NOTE"}
    item, first = make_item(owner, former_draft=draft), make_item(owner)
    api = Api(owner)

    assert [api.get(f"/items/{each.pk}").json()["formerDraft"] for each in (item, first)] == [draft, None]


def test_item_is_read_with_three_queries_and_captured_with_two(owner: User) -> None:
    """The token with the throttle, the item, its attempts."""
    api = Api(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    api.get(f"/items/{item.pk}")

    with CaptureQueriesContext(connection) as read:
        assert api.get(f"/items/{item.pk}").status_code == 200
    with CaptureQueriesContext(connection) as written:
        assert api.post("/items", {"rawText": "Second."}).status_code == 201

    assert (len(read), len(written)) == (3, 2)

"""POST /items/retry."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.api import views
from items.models import Item
from items.states import Status
from tests.items.api.client import Api
from tests.items.factories import make_item

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_retry_of_all_does_not_change_other_statuses(owner: User) -> None:
    failed = [make_item(owner, status=Status.FAILED) for _ in range(3)]
    others = [make_item(owner, status=status) for status in Status if status != Status.FAILED]

    response = Api(owner).post("/items/retry")

    assert (response.status_code, response.json()) == (200, {"retried": 3, "hasMore": False})
    assert {item.status for item in Item.objects.filter(pk__in=[item.pk for item in failed])} == {Status.ENRICHING}
    assert [Item.objects.get(pk=item.pk).status for item in others] == [item.status for item in others]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 3),
        ({"errorCode": "LLM_TIMEOUT"}, 2),
        ({"errorCode": "LLM_API_ERROR"}, 1),
        ({"errorCode": "NEVER_SEEN"}, 0),
        ({"errorReason": "TIMED_OUT"}, 2),
        ({"errorReason": "KEY_REFUSED"}, 1),
        ({"errorReason": "MODEL_DECLINED"}, 0),
        ({"errorReason": "KEY_REFUSED", "errorCode": "LLM_API_ERROR"}, 1),
        ({"errorReason": "KEY_REFUSED", "errorCode": "LLM_TIMEOUT"}, 0),
        ({"createdBefore": "2026-05-01T12:00:00Z"}, 1),
        ({"createdBefore": "2026-05-01T14:00:01+02:00"}, 2),
        ({"errorCode": "LLM_API_ERROR", "createdBefore": "2026-05-01T12:00:00Z"}, 0),
    ],
    ids=str,
)
def test_retry_is_limited_to_matching_items(owner: User, body: dict[str, str], expected: int) -> None:
    make_item(owner, status=Status.FAILED, created_at=NOON - timedelta(hours=1))
    make_item(owner, status=Status.FAILED, created_at=NOON)
    key_refused = {"enrichment_error": "LLM_API_ERROR: No.", "error_reason": "KEY_REFUSED"}
    make_item(owner, status=Status.FAILED, created_at=timezone.now(), **key_refused)

    response = Api(owner).post("/items/retry", body)

    assert response.json() == {"retried": expected, "hasMore": False}
    assert Item.objects.filter(status=Status.ENRICHING).count() == expected


@pytest.mark.django_db(transaction=True)
def test_retry_of_all_commits_batch_by_batch(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RETRY_BATCH_SIZE", 3)
    for _ in range(7):
        make_item(owner, status=Status.FAILED)

    with CaptureQueriesContext(connection) as captured:
        response = Api(owner).post("/items/retry")

    changes = [query["sql"].split(" SET ")[0] for query in captured.captured_queries]
    changes = [change for change in changes if change in {'UPDATE "items"', "COMMIT"}]
    assert changes[changes.index('UPDATE "items"') :] == ['UPDATE "items"', "COMMIT"] * 3
    assert response.json() == {"retried": 7, "hasMore": False}


def test_retry_of_all_says_what_the_time_limit_left(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RETRY_BATCH_SIZE", 3)
    monkeypatch.setattr(views, "RETRY_SECONDS", 0)
    for _ in range(5):
        make_item(owner, status=Status.FAILED)

    responses = [Api(owner).post("/items/retry").json() for _ in range(2)]

    assert responses == [{"retried": 3, "hasMore": True}, {"retried": 2, "hasMore": False}]

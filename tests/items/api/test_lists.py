"""GET /items, GET /items/pending, GET /items/{id}, GET /tags and POST /items/retry."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.api import views
from items.models import Item
from items.states import EnrichmentMode, Outcome, SourceType, Status
from items.texts import normalise_tag
from tests.items.api.client import Api, problem
from tests.items.factories import make_attempt, make_item

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def test_list_excludes_discarded_items_and_is_newest_first(owner: User) -> None:
    items = [make_item(owner, status=status, created_at=NOON + timedelta(hours=n)) for n, status in enumerate(Status)]

    response = Api(owner).get("/items")

    expected = [str(item.id) for item in reversed(items) if item.status != Status.DISCARDED]
    assert ids(response) == expected
    assert response.json()["pagination"] == {"cursor": None, "hasMore": False}


def test_pending_list_shows_pending_items_and_their_total(owner: User) -> None:
    pending = [make_item(owner, status=status) for status in ("ENRICHING", "READY_TO_CONFIRM", "FAILED")]
    make_item(owner, status=Status.ARCHIVED)
    make_item(owner, status=Status.DISCARDED)

    response = Api(owner).get("/items/pending", {"limit": "2"})

    assert ids(response) == [str(item.id) for item in reversed(pending)][:2]
    assert response.json()["total"] == 3
    assert response.json()["pagination"]["hasMore"] is True


def test_pending_list_of_one_status_counts_that_status(owner: User) -> None:
    make_item(owner)
    failed = make_item(owner, status=Status.FAILED)

    response = Api(owner).get("/items/pending", {"status": "FAILED"})

    assert ids(response) == [str(failed.id)]
    assert response.json()["total"] == 1


@pytest.mark.parametrize("path", ["/items", "/items/pending"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_show_items_of_the_same_time_once_each(owner: User, path: str, limit: int) -> None:
    items = [make_item(owner, created_at=NOON + timedelta(seconds=n // 4)) for n in range(13)]

    seen = list(all_pages(Api(owner), path, limit))

    assert [item_id for page in seen for item_id in page] == [
        str(item.id) for item in sorted(items, key=lambda item: (item.created_at, item.id), reverse=True)
    ]
    assert all(len(page) == limit for page in seen[:-1])


def test_items_captured_between_pages_do_not_shift_pages(owner: User) -> None:
    api = Api(owner)
    items = [make_item(owner, created_at=NOON + timedelta(seconds=n)) for n in range(4)]
    first = api.get("/items", {"limit": "2"})

    make_item(owner)
    items[1].discard()
    second = api.get("/items", {"limit": "2", "cursor": first.json()["pagination"]["cursor"]})

    assert ids(second) == [str(items[0].id)]
    assert second.json()["pagination"] == {"cursor": None, "hasMore": False}


def test_default_page_has_twenty_items(owner: User) -> None:
    for _ in range(21):
        make_item(owner)

    response = Api(owner).get("/items")

    assert len(ids(response)) == 20
    assert response.json()["pagination"]["hasMore"] is True


FILTERS = [
    ({"status": "ARCHIVED"}, {"archived"}),
    ({"sourceType": "ARTICLE"}, {"archived"}),
    ({"errorCode": "LLM_TIMEOUT"}, {"failed"}),
    ({"errorCode": "LLM"}, set()),
    ({"errorReason": "TIMED_OUT"}, {"failed"}),
    ({"errorReason": "TIMED_OUT", "errorCode": "LLM_TIMEOUT"}, {"failed"}),
    ({"errorReason": "TIMED_OUT", "errorCode": "LLM_API_ERROR"}, set()),
    ({"errorReason": "KEY_REFUSED"}, set()),
    ({"tag": " Big  Data "}, {"archived"}),
    ({"tag": "big"}, set()),
    ({"q": "WOLF"}, {"archived", "ready", "failed"}),
    ({"q": "100%"}, {"failed"}),
    ({"q": "a_b"}, set()),
    ({"q": "\\"}, set()),
    ({"q": "w.lf"}, set()),
    ({"q": "(wolf"}, set()),
    ({"q": "wolf$"}, set()),
    ({"q": "wolf", "status": "READY_TO_CONFIRM"}, {"ready"}),
    ({"q": "", "status": "", "tag": " ", "cursor": ""}, {"archived", "ready", "failed", "enriching"}),
]


@pytest.mark.parametrize(
    ("query", "expected"), FILTERS, ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value)
)
def test_filters_narrow_the_list(owner: User, query: dict[str, str], expected: set[str]) -> None:
    items = {
        "archived": make_item(
            owner, status=Status.ARCHIVED, source_type=SourceType.ARTICLE, title="The Wolf", tags=["big data", "sql"]
        ),
        "ready": make_item(owner, status=Status.READY_TO_CONFIRM, summary="About wolves: a wolf."),
        "failed": make_item(owner, status=Status.FAILED, raw_text="Der Wolf ist 100% grau. axb"),
        "enriching": make_item(owner),
        "discarded": make_item(owner, status=Status.DISCARDED, title="The Wolf", tags=["big data"]),
    }

    response = Api(owner).get("/items", query)

    assert set(ids(response)) == {str(items[name].id) for name in expected}


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


def test_discarded_items_are_listed_only_if_asked_for(owner: User, stranger: User) -> None:
    discarded = make_item(owner, status=Status.DISCARDED)
    make_item(stranger, status=Status.DISCARDED)
    kept = make_item(owner)
    api = Api(owner)

    listed = [api.get("/items", query).json()["items"] for query in ({}, {"status": "DISCARDED"})]

    assert [[item["id"] for item in items] for items in listed] == [[str(kept.pk)], [str(discarded.pk)]]


@pytest.mark.parametrize("path", ["/items", "/items/pending"])
def test_lists_allow_the_same_actions_as_the_item(owner: User, path: str) -> None:
    for mode in EnrichmentMode:
        for status in Status:
            make_item(owner, status=status, enrichment_mode=mode)
    make_item(owner, status=Status.FAILED, redrafted_from=Status.ARCHIVED, confirmed_at=timezone.now())
    api = Api(owner)

    listed = api.get(path).json()["items"]

    assert len(listed) > 6
    assert all(each["allowedActions"] == api.get(f"/items/{each['id']}").json()["allowedActions"] for each in listed)


def test_replaced_draft_is_shown_with_the_item(owner: User) -> None:
    draft = {"title": "Before", "summary": None, "tags": ["a"], "sourceType": "NOTE"}
    item, first = make_item(owner, former_draft=draft), make_item(owner)
    api = Api(owner)

    assert [api.get(f"/items/{each.pk}").json()["formerDraft"] for each in (item, first)] == [draft, None]


@pytest.mark.parametrize(("limit", "expected"), [(29, 3), (30, 2), (100, 2)])
def test_number_of_queries_does_not_grow_with_the_page(owner: User, limit: int, expected: int) -> None:
    """The token with the throttle, the page; and the total, unless the page has all."""
    for _ in range(30):
        make_item(owner, status=Status.READY_TO_CONFIRM)
    api = Api(owner)
    api.get("/items/pending")

    with CaptureQueriesContext(connection) as queries:
        response = api.get("/items/pending", {"limit": str(limit)})

    assert len(ids(response)) == min(limit, 30)
    assert response.json()["total"] == 30
    assert len(queries) == expected


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


def test_tags_are_counted_without_discarded_items(owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, tags=["b", "a", "c"])
    make_item(owner, status=Status.READY_TO_CONFIRM, tags=["c"])
    make_item(owner, status=Status.DISCARDED, tags=["c", "d"])
    make_item(owner)

    response = Api(owner).get("/tags")

    assert response.json() == {
        "tags": [{"name": "c", "count": 2}, {"name": "a", "count": 1}, {"name": "b", "count": 1}],
        "pagination": {"cursor": None, "hasMore": False},
    }


@pytest.mark.parametrize("limit", ["1", "2", "3", "7"])
def test_pages_of_tags_show_every_tag_once(owner: User, stranger: User, limit: str) -> None:
    for tags in (["c", "straße"], ["c", "STRASSE", "f", "fa"], ["c", "e\u0301", "straße"], ["b", "a", "\u00e9"], ["F"]):
        make_item(owner, status=Status.ARCHIVED, tags=[normalise_tag(tag) for tag in tags])
    make_item(stranger, status=Status.ARCHIVED, tags=["z"])
    expected = [("c", 3), ("straße", 3), ("f", 2), ("\u00e9", 2), ("a", 1), ("b", 1), ("fa", 1)]

    assert tag_pages(owner, limit=limit) == expected
    assert tag_pages(owner, limit=limit, q="F\u200b") == [("f", 2), ("fa", 1)]
    assert tag_pages(owner, limit=limit, q="stras") == [("straße", 3)]
    assert tag_pages(owner, limit=limit, q="%") == []


def tag_pages(owner: User, **query: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    cursor: dict[str, str] = {}
    while True:
        page = Api(owner).get("/tags", {**query, **cursor}).json()
        assert len(page["tags"]) <= int(query["limit"])
        found += [(tag["name"], tag["count"]) for tag in page["tags"]]
        if not page["pagination"]["hasMore"]:
            return found
        cursor = {"cursor": page["pagination"]["cursor"]}


@pytest.mark.parametrize(
    "cursor",
    ["x", "AAAA", "AAAAAAAAAAE=", "AAAAAAAAAAAAYQ==", "AAAAAAAAAAEA", "AAAAAAAAAAH_", "AAAAAAAAAAFh" * 200, "é"],
)
def test_cursor_that_is_none_of_tags_is_refused(owner: User, cursor: str) -> None:
    assert problem(Api(owner).get("/tags", {"cursor": cursor})) == (400, "VALIDATION_ERROR")


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


def all_pages(api: Api, path: str, limit: int) -> Any:
    query = {"limit": str(limit)}
    for _ in range(100):
        response = api.get(path, query)
        yield ids(response)
        pagination = response.json()["pagination"]
        if not pagination["hasMore"]:
            return
        query["cursor"] = pagination["cursor"]
    pytest.fail("The pages never end.")

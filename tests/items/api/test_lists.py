"""GET /items and GET /items/pending."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.states import EnrichmentMode, SourceType, Status
from tests.items.api.client import Api
from tests.items.factories import make_item

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

"""GET /tags."""

import pytest
from django.contrib.auth.models import User

from items.states import Status
from items.texts import normalise_tag
from tests.items.api.client import Api, problem
from tests.items.factories import make_item


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

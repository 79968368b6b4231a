"""GET /items?q=: each page searches a limited number of items, and all pages together search all items."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from items.api import pagination
from items.states import Status
from tests.items.api.browser import Browser
from tests.items.api.client import Api
from tests.items.factories import make_item

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RARE = "needle"


@pytest.fixture(autouse=True)
def few_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "SEARCH_WINDOW_SIZE", 3)


def captured(owner: User, texts: str, *, apart: timedelta = timedelta(hours=1)) -> list[str]:
    """Create one item per letter, oldest first; `n` has the word. Return the ids of these items, newest first."""
    items = [
        make_item(owner, raw_text=RARE if letter == "n" else "hay", title="hay", created_at=NOON + number * apart)
        for number, letter in enumerate(texts)
    ]
    return [str(item.id) for item in items if item.raw_text == RARE][::-1]


def pages(owner: User, **query: str) -> list[list[str]]:
    """Return the ids on each page."""
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = Api(owner).get("/items", {"q": RARE, **query, **cursor}).json()
        found.append([item["id"] for item in page["items"]])
        if not page["pagination"]["hasMore"]:
            return found
        cursor = {"cursor": page["pagination"]["cursor"]}


def test_search_page_is_limited_and_has_a_next_page(owner: User) -> None:
    (needle,) = captured(owner, "nhhhhhh")

    assert pages(owner) == [[], [], [needle]]


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=1)])
@pytest.mark.parametrize("limit", ["1", "2", "100"])
@pytest.mark.parametrize("texts", ["nnnnnnnn", "nhnhnhnhn", "hhhnnnhhh", "n", "nhh", "hhn", "nhhh", "hhhh", ""])
def test_all_search_pages_show_every_match_once(owner: User, texts: str, limit: str, apart: timedelta) -> None:
    expected = captured(owner, texts, apart=apart)

    found = [item_id for page in pages(owner, limit=limit) for item_id in page]

    assert sorted(found) == sorted(expected)
    assert apart == timedelta(0) or found == expected


def test_search_page_with_the_oldest_item_is_the_last(owner: User) -> None:
    (needle,) = captured(owner, "nhh")

    assert pages(owner) == [[needle]]


def test_search_limit_ignores_other_owners_and_other_lists(owner: User, stranger: User) -> None:
    (needle,) = captured(owner, "nhh")
    captured(stranger, "hhhhhh")

    assert pages(owner) == [[needle]]
    assert len(pages(stranger, q="")) == 1


def test_search_limit_counts_items_before_other_filters(owner: User) -> None:
    captured(owner, "nhhhhhh")

    assert pages(owner, status=Status.FAILED) == [[], [], []]


def test_page_says_that_older_items_were_not_searched(owner: User) -> None:
    captured(owner, "nhhhhhh")

    page = Browser(owner).open(f"/api/v1/items?q={RARE}")

    assert "Nothing matches among the 3 items searched. Older items may match." in page
    assert "Search older items" in page

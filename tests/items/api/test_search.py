"""GET /items?q=: a page looks through only so many items, and all pages together through all."""

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
    """One item for each letter, the oldest first: `n` has the word. Gives the ids of those, newest first."""
    items = [
        make_item(owner, raw_text=RARE if letter == "n" else "hay", title="hay", created_at=NOON + number * apart)
        for number, letter in enumerate(texts)
    ]
    return [str(item.id) for item in items if item.raw_text == RARE][::-1]


def pages(owner: User, **query: str) -> list[list[str]]:
    """The ids on each page, to the last."""
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = Api(owner).get("/items", {"q": RARE, **query, **cursor}).json()
        found.append([item["id"] for item in page["items"]])
        if not page["pagination"]["hasMore"]:
            return found
        cursor = {"cursor": page["pagination"]["cursor"]}


def test_page_looks_through_so_many_items_and_says_that_there_is_more(owner: User) -> None:
    (needle,) = captured(owner, "nhhhhhh")

    assert pages(owner) == [[], [], [needle]]


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=1)])
@pytest.mark.parametrize("limit", ["1", "2", "100"])
@pytest.mark.parametrize("texts", ["nnnnnnnn", "nhnhnhnhn", "hhhnnnhhh", "n", "nhh", "hhn", "nhhh", "hhhh", ""])
def test_all_pages_together_show_every_match_once(owner: User, texts: str, limit: str, apart: timedelta) -> None:
    expected = captured(owner, texts, apart=apart)

    found = [item_id for page in pages(owner, limit=limit) for item_id in page]

    assert sorted(found) == sorted(expected)
    assert apart == timedelta(0) or found == expected


def test_page_that_reaches_the_oldest_item_is_the_last(owner: User) -> None:
    (needle,) = captured(owner, "nhh")

    assert pages(owner) == [[needle]]


def test_items_of_others_and_lists_without_words_are_not_counted(owner: User, stranger: User) -> None:
    (needle,) = captured(owner, "nhh")
    captured(stranger, "hhhhhh")

    assert pages(owner) == [[needle]]
    assert len(pages(stranger, q="")) == 1


def test_other_filters_narrow_the_same_stretch(owner: User) -> None:
    captured(owner, "nhhhhhh")

    assert pages(owner, status=Status.FAILED) == [[], [], []]


def test_person_is_told_that_older_items_were_not_looked_through(owner: User) -> None:
    captured(owner, "nhhhhhh")

    page = Browser(owner).open(f"/api/v1/items?q={RARE}")

    assert "Nothing matches among the 3 items searched. Older items may match." in page
    assert "Search older items" in page

"""GET /items?q=: each page searches a limited number of items, and all pages together search all items."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from items.api import pagination
from items.states import Status
from tests.items.api.browser import Browser
from tests.items.api.client import Api, constraints
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


def test_search_page_reads_fewer_long_texts(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (RARE, "hay" * 6000, "hay", "hay" * 6000, "hay", RARE):
        make_item(owner, raw_text=text)
    monkeypatch.setattr(pagination, "SEARCH_WINDOW_SIZE", 100)
    assert [len(page) for page in pages(owner)] == [2]

    monkeypatch.setattr(pagination, "SEARCH_WINDOW_CHARACTERS", 1)

    assert [len(page) for page in pages(owner)] == [1, 0, 1]


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

    assert "Nothing matches so far. Older items may match." in page
    assert "Search older items" in page


def test_search_finds_words_of_all_fields_and_tags(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, raw_text="Beans", title="Rows", summary="Plan", tags=["garden"])
    make_item(owner, status=Status.ARCHIVED, raw_text="Beans", title="Rows", summary="Plan", tags=["kitchen"])

    assert pages(owner, q="GARDEN beans plan rows") == [[str(item.id)]]


@pytest.mark.parametrize(("accents", "is_found"), [({}, False), ({"accents": "ignore"}, True)])
def test_search_ignores_accents_on_request(owner: User, accents: dict[str, str], is_found: bool) -> None:
    item = make_item(owner, raw_text="caf\xe9")

    assert pages(owner, q="cafe", **accents) == [[str(item.id)] if is_found else []]


@pytest.mark.parametrize("q", ["", " ", "\u200b", "\xad \ufeff"])
def test_search_for_nothing_visible_lists_all(owner: User, q: str) -> None:
    captured(owner, "nhhhhhh")

    assert [len(page) for page in pages(owner, q=q)] == [7]


def test_search_for_too_many_words_is_refused(owner: User) -> None:
    response = Api(owner).get("/items", {"q": "1 2 3 4 5 6 7 8 9 10 11"})

    assert constraints(response) == {"q": "max_words"}
    assert response.json()["error"]["message"] == "q may have at most 10 words, or phrases in double quotes."


@pytest.mark.parametrize("accents", [{}, {"accents": "ignore"}])
@pytest.mark.parametrize("q", ["s" * 200, "\u1ec7" * 200, " ".join(["\ud55c" * 19] * 10), "a\u0301" * 100, "\\" * 200])
def test_longest_searches_are_answered(owner: User, q: str, accents: dict[str, str]) -> None:
    item = make_item(owner, raw_text=q)

    assert pages(owner, q=q, **accents) == [[str(item.id)]]
    assert "<mark>" in Browser(owner).open(f"/api/v1/items?{urlencode({'q': q, **accents})}")


def test_list_marks_what_was_found(owner: User) -> None:
    make_item(
        owner,
        status=Status.ARCHIVED,
        title="A <needle>",
        summary="hay " * 100 + "needle",
        raw_text="hay " * 1000 + "needle & thread",
        tags=["needle"],
    )

    page = Browser(owner).open("/api/v1/items?q=needle")

    assert "A &lt;<mark>needle</mark>&gt;</a>" in page
    assert "hay <mark>needle</mark></div>" in page
    assert "hay <mark>needle</mark> &amp; thread</div>" in page
    assert "><mark>needle</mark></a>" in page


@pytest.mark.parametrize("accents", [{}, {"accents": "ignore"}])
def test_list_leads_to_an_item_with_its_words_marked(owner: User, accents: dict[str, str]) -> None:
    make_item(
        owner, status=Status.ARCHIVED, raw_text="The n\xe9edle", title="Hay", summary="N\xe9edle", tags=["n\xe9edles"]
    )
    browser = Browser(owner)
    query = urlencode({"q": "Ne\u0301edle", **accents})

    page = browser.open(f"/api/v1/items?{query}")
    (link,) = re.findall(r'<a class="title" data-open href="([^"]+)"', page)
    item = browser.open(unescape(link))

    assert "The <mark>n\xe9edle</mark></pre>" in item
    assert "<p><mark>N\xe9edle</mark></p>" in item
    assert "<mark>n\xe9edle</mark>s</a>" in item


def test_json_of_an_item_is_the_same_with_a_search(owner: User) -> None:
    item = make_item(owner)

    assert Api(owner).get(f"/items/{item.id}?q=vacuum").json() == Api(owner).get(f"/items/{item.id}").json()


def test_page_without_a_search_marks_nothing(owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED)

    assert "<mark>" not in Browser(owner).open("/api/v1/items")

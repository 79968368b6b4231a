"""The HTML pages of the API."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.states import Outcome, Status
from tests.items.api.browser import ACCEPT, Browser, Forms, url_of
from tests.items.factories import make_attempt, make_item

OUR_SCRIPTS = re.compile('<script src="/static/items/(live|counter).js" defer[ >]')
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' {{ 7*7 }} {% now %}"


@pytest.mark.parametrize("status", Status)
def test_page_shows_the_status_and_its_buttons(owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    page = Browser(owner).open(url_of(item))

    assert f'class="status {status}"' in page
    buttons = {value for form in Forms(page).forms for name, value in form.buttons if name == "action"}
    ends = {form.action.rpartition("/")[2] for form in Forms(page).forms} & {"retry", "redraft", "restore"}
    found = {"edit" if value == "save" else value for value in buttons} | ends
    assert found == {action.value for action in item.allowed_actions}


@pytest.mark.parametrize("url", ["/api/v1/items", "/api/v1/items/pending", "/api/v1/tags", "{item}"])
def test_text_and_model_output_are_escaped(owner: User, url: str) -> None:
    item = make_item(
        owner,
        status=Status.READY_TO_CONFIRM,
        raw_text=MARKUP,
        title=MARKUP,
        summary=MARKUP,
        tags=[MARKUP[:50].lower()],
        enrichment_error=f"CODE: {MARKUP}",
    )
    make_attempt(item, model=MARKUP, outcome=Outcome.FAILED, error_code=MARKUP[:40])

    page = Browser(owner).open(url.format(item=url_of(item)))

    assert "&lt;script&gt;" in page
    assert "<script" not in OUR_SCRIPTS.sub("", page.lower())
    assert "<img" not in page.lower()
    assert not any(name.startswith("on") for name in Forms(page).attributes)


def test_search_words_are_escaped(owner: User) -> None:
    page = Browser(owner).open('/api/v1/items?q="><script>alert(1)</script>')

    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in OUR_SCRIPTS.sub("", page)


def test_next_page_keeps_the_filters(owner: User) -> None:
    browser = Browser(owner)
    items = [make_item(owner, status=Status.FAILED) for _ in range(3)]
    make_item(owner)

    first = browser.open("/api/v1/items?status=FAILED&limit=2")
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.open("/api/v1/items" + older.replace("&amp;", "&"))

    assert '<option value="FAILED" selected>' in first
    assert str(items[0].id) in second
    assert str(items[2].id) not in second


def test_pages_are_small_and_work_without_scripts(owner: User) -> None:
    page = Browser(owner).open("/api/v1/items/pending")

    assert "<script" not in OUR_SCRIPTS.sub("", page)  # optional: a reload shows the same
    assert len(page) < 12_000


def test_page_has_no_etag(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner)

    response = browser.client.get(url_of(item), headers=ACCEPT)

    assert "ETag" not in response
    assert "Accept" in response["Vary"]


def test_page_of_another_users_item_reveals_nothing(owner: User, stranger: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = Browser(stranger).client.get(url_of(item), headers=ACCEPT)

    assert response.status_code == 404
    assert item.title is not None
    assert item.title not in response.content.decode()


def test_home_page_is_the_pending_list() -> None:
    response = Client().get("/")

    assert (response.status_code, response["Location"]) == (302, "/api/v1/items/pending")


def test_attempts_are_linked_from_page_and_list(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.FAILED)
    make_attempt(item, outcome=Outcome.FAILED)

    page, listed = browser.open(url_of(item)), browser.open("/api/v1/items/pending")

    assert '<a href="#attempts">1 attempt</a>' in page
    assert 'id="attempts"' in page
    assert f'href="{url_of(item)}#attempts"' in listed


def test_pending_list_has_a_filter_for_each_status(owner: User) -> None:
    make_item(owner)
    failed = make_item(owner, status=Status.FAILED)

    page = Browser(owner).open("/api/v1/items/pending?status=FAILED")

    assert re.findall(r'class="status (\w+)" href', page) == ["ENRICHING", "READY_TO_CONFIRM", "FAILED"]
    assert 'href="?status=FAILED" aria-current="page"' in page
    assert re.findall(r'class="title" href="([^"]+)"', page) == [url_of(failed)]


@pytest.mark.parametrize("url", ["/api/v1/items/pending", "{item}"])
def test_discard_needs_a_second_click(owner: User, url: str) -> None:
    item = make_item(owner, status=Status.FAILED)

    page = Browser(owner).open(url.format(item=url_of(item)))

    assert 'value="discard"' in page
    for final in ('value="discard"', 'action="/api/v1/items/retry"'):
        for at in (found.start() for found in re.finditer(final, page)):
            assert page.count("<details", 0, at) > page.count("</details>", 0, at), "it needs no confirmation"


def test_enriching_page_links_to_itself_and_never_reloads(owner: User) -> None:
    """An automatic reload would close open details and lose the keyboard focus."""
    item = make_item(owner)

    page = Browser(owner).open(url_of(item))

    assert "http-equiv" not in page
    assert f'<a href="{url_of(item)}">Refresh</a>' in page


def test_favicon_is_served() -> None:
    response = Client().get("/favicon.ico")

    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml")

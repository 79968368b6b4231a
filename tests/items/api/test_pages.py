"""The same URLs in a browser: light pages that show text as text."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.states import Outcome, Status
from tests.items.api.browser import ACCEPT, Browser, Forms, url_of
from tests.items.factories import make_attempt, make_item

OUR_SCRIPT = '<script src="/static/items/live.js" defer '
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' {{ 7*7 }} {% now %}"


@pytest.mark.parametrize("status", Status)
def test_page_shows_the_status_and_the_buttons_that_it_allows(owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    page = Browser(owner).open(url_of(item))

    assert f'class="status {status}"' in page
    buttons = {value for form in Forms(page).forms for name, value in form.buttons if name == "action"}
    retries = [form for form in Forms(page).forms if form.action.endswith("/retry")]
    found = {"edit" if value == "save" else value for value in buttons} | ({"retry"} if retries else set())
    assert found == {action.value for action in item.allowed_actions}


@pytest.mark.parametrize("url", ["/api/v1/items", "/api/v1/items/pending", "/api/v1/tags", "{item}"])
def test_text_and_model_output_are_never_markup(owner: User, url: str) -> None:
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
    assert "<script" not in page.lower().replace(OUR_SCRIPT, "")
    assert "<img" not in page.lower()
    assert not any(name.startswith("on") for name in Forms(page).attributes)


def test_search_words_in_the_filter_form_are_never_markup(owner: User) -> None:
    page = Browser(owner).open('/api/v1/items?q="><script>alert(1)</script>')

    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_filters_stay_chosen_on_the_next_page(owner: User) -> None:
    browser = Browser(owner)
    items = [make_item(owner, status=Status.FAILED) for _ in range(3)]
    make_item(owner)

    first = browser.open("/api/v1/items?status=FAILED&limit=2")
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.open("/api/v1/items" + older.replace("&amp;", "&"))

    assert '<option value="FAILED" selected>' in first
    assert str(items[0].id) in second
    assert str(items[2].id) not in second


def test_pages_are_light_and_need_no_script(owner: User) -> None:
    page = Browser(owner).open("/api/v1/items/pending")

    assert "<script" not in page.replace(OUR_SCRIPT, "")  # which only draws anew what a reload shows, too
    assert len(page) < 12_000


def test_page_has_no_version_because_the_version_is_of_the_json(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner)

    response = browser.client.get(url_of(item), headers=ACCEPT)

    assert "ETag" not in response
    assert "Accept" in response["Vary"]


def test_item_of_another_user_is_a_page_that_says_nothing(owner: User, stranger: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = Browser(stranger).client.get(url_of(item), headers=ACCEPT)

    assert response.status_code == 404
    assert item.title is not None
    assert item.title not in response.content.decode()


def test_home_page_is_the_pending_list() -> None:
    response = Client().get("/")

    assert (response.status_code, response["Location"]) == (302, "/api/v1/items/pending")


def test_item_leads_to_its_attempts_from_its_page_and_from_the_list(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.FAILED)
    make_attempt(item, outcome=Outcome.FAILED)

    page, listed = browser.open(url_of(item)), browser.open("/api/v1/items/pending")

    assert '<a href="#attempts">1 attempt</a>' in page
    assert 'id="attempts"' in page
    assert f'href="{url_of(item)}#attempts"' in listed


def test_pending_list_is_narrowed_by_the_colours_of_its_statuses(owner: User) -> None:
    make_item(owner)
    failed = make_item(owner, status=Status.FAILED)

    page = Browser(owner).open("/api/v1/items/pending?status=FAILED")

    assert re.findall(r'class="status (\w+)" href', page) == ["ENRICHING", "READY_TO_CONFIRM", "FAILED"]
    assert 'href="?status=FAILED" aria-current="page"' in page
    assert re.findall(r'class="title" href="([^"]+)"', page) == [url_of(failed)]


@pytest.mark.parametrize("url", ["/api/v1/items/pending", "{item}"])
def test_what_cannot_be_undone_is_asked_twice(owner: User, url: str) -> None:
    item = make_item(owner, status=Status.FAILED)

    page = Browser(owner).open(url.format(item=url_of(item)))

    assert 'value="discard"' in page
    for final in ('value="discard"', 'action="/api/v1/items/retry"'):
        for at in (found.start() for found in re.finditer(final, page)):
            assert page.count("<details", 0, at) > page.count("</details>", 0, at), "it is not behind a question"


def test_page_stays_as_it_is_until_the_person_looks_again(owner: User) -> None:
    """A page that reloads by itself closes what was just opened, and takes the keyboard's place away."""
    item = make_item(owner)

    page = Browser(owner).open(url_of(item))

    assert "http-equiv" not in page
    assert f'<a href="{url_of(item)}">Refresh</a>' in page


def test_browser_that_asks_for_the_sign_gets_it() -> None:
    response = Client().get("/favicon.ico")

    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml")

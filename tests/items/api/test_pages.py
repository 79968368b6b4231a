"""The HTML pages of the API."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.states import Outcome, Status
from tests.items.api.browser import ACCEPT, Browser, Forms, url_of
from tests.items.factories import make_attempt, make_item

OUR_SCRIPTS = re.compile(r'<script src="/static/[a-z/]+\.js"( defer)?[ >]')
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' {{ 7*7 }} {% now %}"


@pytest.mark.parametrize("status", Status)
def test_page_shows_the_status_and_its_buttons(owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    page = Browser(owner).open(url_of(item))

    assert f'class="status status-{status.lower()}">{status.label}</span>' in page
    buttons = {value for form in Forms(page).forms for name, value in form.buttons if name == "action"}
    others = {
        form.action.rpartition("/")[2] for form in Forms(page).forms if form.action.startswith(url_of(item) + "/")
    }
    found = {"edit" if value == "save" else value for value in buttons} | others
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
    assert "<img src=x" not in page.lower()
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
    assert len(page) < 16_000


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


def test_home_page_is_the_pending_list_or_the_login(owner: User) -> None:
    locations = [client.get("/")["Location"] for client in (Browser(owner).client, Client())]

    assert locations == ["/api/v1/items/pending", "/login"]


def test_page_without_a_login_leads_there_and_back() -> None:
    response = Client().get("/api/v1/items?status=FAILED", headers=ACCEPT)

    assert (response.status_code, response["Location"]) == (302, "/login?next=/api/v1/items%3Fstatus%3DFAILED")


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

    assert re.findall(r'class="chip status-(\w+)" href', page) == ["enriching", "ready_to_confirm", "failed"]
    assert 'href="?status=FAILED" aria-current="page"' in page
    assert re.findall(r'class="title" data-open href="([^"]+)"', page) == [url_of(failed)]


def test_retry_of_all_needs_a_second_click(owner: User) -> None:
    make_item(owner, status=Status.FAILED)

    page = Browser(owner).open("/api/v1/items/pending")

    at = page.index('action="/api/v1/items/retry"')
    assert page.count("<details", 0, at) > page.count("</details>", 0, at)


@pytest.mark.parametrize("url", ["/api/v1/items?q=x", "/api/v1/items/pending", "{item}", "{item}?q=x"])
def test_pages_say_no_codes(owner: User, url: str) -> None:
    items = [make_item(owner, status=status, title="A title", raw_text="x") for status in Status]
    make_attempt(items[0], outcome=Outcome.FAILED, error_code="LLM_TIMEOUT")

    for item in items:
        page = Browser(owner).open(url.format(item=url_of(item)))
        visible = re.sub(r"<[^>]+>|<details class=.more.*?</details>|<footer.*?</footer>", " ", page, flags=re.DOTALL)
        visible = visible.partition(" JSON ")[0]

        assert not re.findall(r"\b(?:[A-Z]+_[A-Z_]+|ENRICHING|FAILED|ARCHIVED|rawText|sourceType)\b", visible)


def test_times_are_marked_for_the_browser(owner: User) -> None:
    make_item(owner, created_at=datetime(2026, 9, 2, 23, 30, tzinfo=UTC))

    page = Browser(owner).open("/api/v1/items/pending")

    time = '<time datetime="2026-09-02T23:30:00Z" title="2 Sep 2026, 23:30 UTC">2 Sep 2026, 23:30 UTC</time>'
    assert time in page


def test_enriching_page_links_to_itself_and_never_reloads(owner: User) -> None:
    """An automatic reload would close open details and lose the keyboard focus."""
    item = make_item(owner)

    page = Browser(owner).open(url_of(item))

    assert "http-equiv" not in page
    assert f'<a href="{url_of(item)}">Refresh</a>' in page


def test_favicon_is_served() -> None:
    response = Client().get("/favicon.ico")

    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml")

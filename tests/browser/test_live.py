"""Open pages show changes by others by themselves, without a reload."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from tests.browser.browser import Browser
from tests.browser.site import HOST, Site
from tests.items.factories import make_item
from tests.waiting import until

PENDING = "/api/v1/items/pending"
NOW = "return performance.now()"
HAS_FETCHED = """
return performance.getEntriesByType('resource').some((e) => e.initiatorType === 'fetch' && e.startTime > arguments[0])
"""


# As long as window.isDown: a proxy that accepts the connection and never responds, and one without an upstream.
HANG = """
const timeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, window.isDown ? 200 : ms);
fail = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
"""
BAD_GATEWAY = "fail = async () => new Response('', { status: 502 });"
BE_DOWN = """
let fail;
{%s}
const send = window.fetch;
window.failed = 0;
window.isDown = true;
window.fetch = (address, options) => {
  if (!window.isDown) return send(address, options);
  window.failed += 1;
  return fail(options);
};
"""


@pytest.fixture
def site_that_heals(site: Site) -> Iterator[Site]:
    """Restart the events process for other tests."""
    yield site
    site.heal()


def open_for_good(browser: Browser, path: str) -> None:
    """Open a page and mark it, so that a reload would show."""
    browser.open(path)
    browser.driver.execute_script("window.isStillTheSame = true")


def assert_was_not_reloaded(browser: Browser) -> None:
    assert browser.driver.execute_script("return window.isStillTheSame === true")


def captured_and_enriched(owner: User, text: str) -> str:
    """Change an item without the browser, and return the title that the page then shows."""
    item = Item.objects.capture(owner=owner, raw_text=text)
    until(lambda: Item.objects.filter(pk=item.pk, status=Status.READY_TO_CONFIRM).exists())
    item.refresh_from_db()
    return str(item.title)


def refreshed_after_a_capture(browser: Browser, owner: User, text: str) -> None:
    """Capture a text, and wait until the page has loaded its list again. It handles one list after another."""
    now = browser.driver.execute_script(NOW)
    captured_and_enriched(owner, text)
    until(lambda: browser.driver.execute_script(HAS_FETCHED, now))


@contextmanager
def proxy_without_upstream(port: int) -> Iterator[list[str]]:
    """Serve a proxy's 502, and yield the requested paths."""
    asked: list[str] = []

    class BadGateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(HTTPStatus.BAD_GATEWAY)
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Allow-Credentials", "true")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, port), BadGateway)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_pending_shows_what_others_capture_and_confirm(browser: Browser, person: User) -> None:
    browser.log_in(person)
    open_for_good(browser, PENDING)
    browser.shows("Nothing waits for you.")

    title = captured_and_enriched(person, "Water the beans.")
    browser.shows(title)
    browser.shows("Draft again")
    Item.objects.get().confirm()

    browser.shows("Nothing waits for you.")
    assert_was_not_reloaded(browser)


@pytest.mark.parametrize("fault", [HANG, BAD_GATEWAY], ids=["silence", "bad gateway"])
def test_page_that_could_not_be_loaded_is_loaded_later(browser: Browser, person: User, fault: str) -> None:
    browser.log_in(person)
    open_for_good(browser, PENDING)
    browser.driver.execute_script(BE_DOWN % fault)

    title = captured_and_enriched(person, "Water the beans.")
    until(lambda: browser.driver.execute_script("return window.failed") > 1)
    assert title not in browser.text
    browser.driver.execute_script("window.isDown = false")

    browser.shows(title)
    assert_was_not_reloaded(browser)


def test_pending_shows_nothing_of_others(browser: Browser, person: User, reviewer: User) -> None:
    browser.log_in(person)
    open_for_good(browser, PENDING)

    foreign = captured_and_enriched(reviewer, "Nobody else's business.")
    own = captured_and_enriched(person, "Water the beans.")

    browser.shows(own)
    assert foreign not in browser.text


def test_what_is_being_typed_stays_while_the_list_changes(browser: Browser, person: User) -> None:
    browser.log_in(person)
    open_for_good(browser, PENDING)
    browser.type("Half a sent", into="Text")

    browser.shows(captured_and_enriched(person, "Water the beans."))

    assert browser.field("Text").get_attribute("value") == "Half a sent"
    assert_was_not_reloaded(browser)


@pytest.mark.thorough
def test_row_in_use_keeps_the_focus_until_it_is_left(browser: Browser, person: User) -> None:
    item = make_item(person, status=Status.FAILED)
    browser.log_in(person)
    open_for_good(browser, PENDING)
    browser.tab_to("Retry")

    browser.shows(captured_and_enriched(person, "Water the beans."))
    item.discard()
    refreshed_after_a_capture(browser, person, "Put the net up.")
    refreshed_after_a_capture(browser, person, "Pick the beans.")
    assert browser.has("Retry")
    browser.field("Text").click()

    until(lambda: not browser.has("Retry"))
    assert_was_not_reloaded(browser)


def test_first_page_of_the_admin_shows_what_owners_capture(browser: Browser, reviewer: User, person: User) -> None:
    browser.log_in(reviewer)
    open_for_good(browser, "/admin/")
    assert browser.has("Ready to confirm 0")

    captured_and_enriched(person, "Water the beans.")

    until(lambda: browser.has("Ready to confirm 1"))
    assert_was_not_reloaded(browser)


@pytest.mark.parametrize("path", [PENDING, "/admin/"])
def test_page_catches_up_after_the_events_process_was_killed(
    browser: Browser, reviewer: User, site_that_heals: Site, path: str
) -> None:
    browser.log_in(reviewer)
    open_for_good(browser, path)
    captured_and_enriched(reviewer, "Water the beans.")
    until(lambda: "Ready to confirm 1" in browser.text.replace("\n", " ") or browser.has("Confirm"))

    site_that_heals.kill_events()
    captured_and_enriched(reviewer, "Put the net up.")
    site_that_heals.start_events()

    until(lambda: browser.has("Ready to confirm 2") or browser.text.count("Ready to confirm") == 3)
    assert_was_not_reloaded(browser)
    browser.forgive_requests("net::ERR_")


@pytest.mark.thorough
def test_page_catches_up_after_a_proxy_had_nobody_behind_it(
    browser: Browser, person: User, site_that_heals: Site
) -> None:
    browser.log_in(person)
    open_for_good(browser, PENDING)
    browser.shows(captured_and_enriched(person, "Water the beans."))

    site_that_heals.kill_events()
    with proxy_without_upstream(site_that_heals.events_port) as asked:
        until(lambda: asked)
        title = captured_and_enriched(person, "Put the net up.")
    site_that_heals.start_events()

    browser.shows(title)
    assert_was_not_reloaded(browser)
    browser.forgive_requests("net::ERR_", "502 (Bad Gateway)")

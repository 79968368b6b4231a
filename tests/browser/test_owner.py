"""An owner at work: by keyboard, in a time zone, with tags that are known, on a telephone."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from selenium.webdriver import ActionChains, Keys

from items.models import Item
from items.states import Status
from tests.browser.browser import Browser
from tests.items.factories import make_item
from tests.waiting import until

PENDING = "/api/v1/items/pending"
FOCUSED_ROW = "return document.activeElement?.dataset?.row ?? ''"
SUGGESTIONS = "return [...document.querySelectorAll('datalist option')].map((option) => option.value)"


@pytest.fixture
def tokyo(browser: Browser) -> Iterator[None]:
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    yield
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def drafts(owner: User, number: int) -> list[Item]:
    """Return the newest first, as the list shows them."""
    return [make_item(owner, status=Status.READY_TO_CONFIRM, title=f"Draft {n}") for n in range(number)][::-1]


def press_with(browser: Browser, modifier: str, key: str) -> None:
    ActionChains(browser.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()


def count(status: Status) -> int:
    return int(Item.objects.filter(status=status).count())


def until_focused(browser: Browser, item: Item) -> None:
    until(lambda: browser.driver.execute_script(FOCUSED_ROW) == str(item.pk))


def until_archived(number: int) -> None:
    until(lambda: count(Status.ARCHIVED) == number)


def test_drafts_are_confirmed_with_one_key_each(browser: Browser, person: User) -> None:
    items = drafts(person, 6)
    browser.log_in(person)
    browser.open(PENDING)

    browser.press("j")
    for number, item in enumerate(items, start=1):
        until_focused(browser, item)
        browser.press("c")
        until_archived(number)

    browser.shows("Nothing waits for you.")
    assert browser.keys_pressed == 1 + len(items)


def test_selected_items_are_discarded_and_restored_by_key(browser: Browser, person: User) -> None:
    items = drafts(person, 5)
    browser.log_in(person)
    browser.open(PENDING)

    browser.press("j", "x", "j", "x")
    browser.shows("2 selected")
    press_with(browser, Keys.SHIFT, "d")
    browser.shows("2 items were discarded.")
    until_focused(browser, items[2])
    assert count(Status.DISCARDED) == 2
    browser.press("z")

    browser.shows("2 items were restored.")
    assert count(Status.READY_TO_CONFIRM) == 5
    until_focused(browser, items[0])


def test_text_is_captured_with_control_and_enter(browser: Browser, person: User) -> None:
    browser.log_in(person)
    browser.open(PENDING)

    browser.press("n")
    browser.press("A thought, c and d")
    press_with(browser, Keys.CONTROL, Keys.ENTER)

    browser.shows("The text was captured.")
    assert Item.objects.get().raw_text == "A thought, c and d"


def test_times_are_those_of_the_browser(browser: Browser, person: User, tokyo: None) -> None:
    make_item(person, status=Status.READY_TO_CONFIRM, created_at=datetime(2026, 9, 2, 23, 30, tzinfo=UTC))
    browser.log_in(person)

    browser.open(PENDING)

    browser.shows("3 Sep 2026, 08:30")
    assert "UTC" not in browser.text


def test_known_tags_are_suggested(browser: Browser, person: User) -> None:
    make_item(person, status=Status.ARCHIVED, tags=["garden", "garage, old"])
    item = make_item(person, status=Status.ARCHIVED, tags=["beans"])
    browser.log_in(person)
    browser.open(f"/api/v1/items/{item.pk}")

    browser.field("Tags").send_keys(", ga")

    until(lambda: len(browser.driver.execute_script(SUGGESTIONS)) == 2)
    assert set(browser.driver.execute_script(SUGGESTIONS)) == {"beans, garden", 'beans, "garage, old"'}


def test_telephone_can_install_the_site(browser: Browser, person: User) -> None:
    browser.log_in(person)
    browser.open(PENDING)

    manifest = browser.driver.execute_cdp_cmd("Page.getAppManifest", {})
    errors = browser.driver.execute_cdp_cmd("Page.getInstallabilityErrors", {})

    assert manifest["url"].endswith("/manifest.webmanifest")
    assert manifest["errors"] == []
    # The driver's windows have no profile to install into.
    assert [error["errorId"] for error in errors["installabilityErrors"]] in ([], ["in-incognito"])


def test_shared_text_survives_the_login(browser: Browser, person: User) -> None:
    browser.open("/capture?title=Beans+%26+nets&url=https%3A%2F%2Fexample.org%2F%3Fa%3D1%26b%3D2")
    browser.type("ada", into="Name")
    browser.type("correct horse", into="Password")
    browser.click("Log in")
    browser.shows("It is not stored yet.")

    assert not Item.objects.exists()
    browser.click("Capture")

    browser.shows("The text was captured.")
    assert Item.objects.get().raw_text == "Beans & nets\n\nhttps://example.org/?a=1&b=2"

"""An owner in a real browser: from the login to an item that is kept."""

import pytest
from django.contrib.auth.models import User
from selenium.webdriver import Keys

from items.models import Item
from items.states import Status
from tests.browser.browser import Browser
from tests.items.factories import make_item
from tests.waiting import until

TEXT = "The beans went in on Sunday.\nWater them each evening, and put the net up before the pigeons notice."


def until_ready(browser: Browser) -> None:
    """Reload, as an impatient user does."""

    def is_ready() -> bool:
        browser.reload()
        return browser.has("Confirm")

    until(is_ready)


def test_captured_text_is_confirmed_with_a_better_title(browser: Browser, person: User) -> None:
    browser.open("/")
    browser.type("ada", into="Name")
    browser.type("correct horse", into="Password")
    browser.click("Log in")
    browser.shows("Nothing waits for you.")

    browser.type(TEXT, into="Text")
    browser.click("Capture")
    until_ready(browser)
    item = Item.objects.get()
    browser.click(str(item.title))
    browser.type("Beans", into="Title")
    browser.click("Confirm")

    browser.shows("was confirmed.")
    item.refresh_from_db()
    assert (item.owner, item.raw_text) == (person, TEXT)
    assert (item.status, item.title) == (Status.ARCHIVED, "Beans")
    browser.click("Items")
    assert browser.has("Beans")


@pytest.mark.thorough
def test_all_of_it_is_done_by_keyboard(browser: Browser, person: User) -> None:
    browser.open("/login?next=/")
    browser.press("ada", Keys.TAB, "correct horse", Keys.ENTER)
    browser.shows("Nothing waits for you.")

    browser.tab_to("Text")
    browser.press(TEXT)
    browser.tab_to("Draft title")
    browser.press(Keys.SPACE, Keys.SPACE)
    browser.tab_to("Capture")
    browser.press(Keys.ENTER)
    until_ready(browser)
    browser.tab_to(str(Item.objects.get().title))
    browser.press(Keys.ENTER)
    browser.shows("Check and confirm")
    browser.tab_to("Title")
    browser.press(Keys.END, " of mine")
    browser.tab_to("Confirm")
    browser.press(Keys.SPACE)

    browser.shows("was confirmed.")
    item = Item.objects.get()
    assert item.status == Status.ARCHIVED
    assert str(item.title).endswith(" of mine")


@pytest.mark.thorough
def test_discard_is_undone_by_keyboard(browser: Browser, person: User) -> None:
    item = make_item(person, status=Status.FAILED)
    browser.log_in(person)
    browser.open(f"/api/v1/items/{item.pk}")

    browser.tab_to("Discard")
    browser.press(Keys.ENTER)
    browser.shows("was discarded.")
    assert Item.objects.get().status == Status.DISCARDED
    browser.tab_to("Undo")
    browser.press(Keys.ENTER)

    browser.shows("1 item was restored.")
    assert Item.objects.get().status == Status.FAILED


def test_failed_item_is_retried_from_the_list(browser: Browser, person: User) -> None:
    make_item(person, status=Status.FAILED)
    browser.log_in(person)
    browser.open("/api/v1/items/pending")
    browser.shows("The model did not answer in time.")

    browser.click("Retry")

    until_ready(browser)
    assert not browser.has("Retry")
    assert "The model did not answer" not in browser.text

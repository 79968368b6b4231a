"""A reviewer in a real browser finds failed items, views them, and retries or discards them."""

import pytest
from django.contrib.auth.models import User
from selenium.webdriver import Keys
from selenium.webdriver.support.select import Select

from items.models import Item
from items.states import Status
from tests.browser.browser import Browser
from tests.items.admin.pages import LIST, detail
from tests.items.factories import RAW_TEXT, make_item
from tests.waiting import until

OTHER_ERROR = "LLM_API_ERROR: The provider refused the key. Check the key, and that it may use this model."
MORE_THAN_A_PAGE = 53
BUTTONS = ("Retry", "Confirm", "Discard…", "Save", "Go")


def until_strip_says(browser: Browser, *links: str) -> None:
    """Return the links of the strip on the first page, with their counts."""

    def says() -> bool:
        browser.open("/admin/")
        return all(browser.has(link) for link in links)

    until(says)


@pytest.mark.thorough
def test_all_failures_of_one_kind_are_retried_at_once(browser: Browser, reviewer: User, person: User) -> None:
    for _ in range(MORE_THAN_A_PAGE):
        make_item(person, status=Status.FAILED)
    other = make_item(person, status=Status.FAILED, enrichment_error=OTHER_ERROR)
    browser.log_in(reviewer)
    until_strip_says(browser, f"Failed {MORE_THAN_A_PAGE + 1}", "Ready to confirm 0")

    browser.click(f"Failed {MORE_THAN_A_PAGE + 1}")
    browser.click("Error code")
    browser.click(f"LLM_TIMEOUT {MORE_THAN_A_PAGE}")
    browser.click("Preview")
    browser.shows(RAW_TEXT)
    browser.field("Select all").click()
    browser.click(f"Select all {MORE_THAN_A_PAGE} items that match")
    Select(browser.field("Action")).select_by_visible_text("Retry selected items")
    browser.click("Go")
    browser.shows(f"Retry {MORE_THAN_A_PAGE} items?")
    browser.click("Retry")

    browser.shows(f"{MORE_THAN_A_PAGE} items sent back to enrichment.")
    until_strip_says(browser, "Failed 1", f"Ready to confirm {MORE_THAN_A_PAGE}")
    other.refresh_from_db()
    assert other.status == Status.FAILED


def test_discard_is_done_only_after_its_question(browser: Browser, reviewer: User, person: User) -> None:
    item = make_item(person, status=Status.FAILED)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status=FAILED")

    browser.click("Discard…")
    browser.shows("can be restored until")
    browser.click("Go back")
    browser.shows("1 item")
    assert Item.objects.get().status == Status.FAILED
    browser.click("Discard…")
    browser.shows("can be restored until")
    browser.click("Discard")

    browser.shows("discarded.")
    item.refresh_from_db()
    assert item.status == Status.DISCARDED
    assert browser.path == LIST


def test_bulk_discard_is_undone_by_its_message(browser: Browser, reviewer: User, person: User) -> None:
    items = [make_item(person, status=status) for status in (Status.FAILED, Status.READY_TO_CONFIRM)]
    kept = make_item(person, status=Status.DISCARDED)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status=PENDING")
    browser.field("Select all").click()
    Select(browser.field("Action")).select_by_visible_text("Discard selected items…")
    browser.click("Go")
    browser.shows("Discard 2 items?")
    browser.click("Discard")
    browser.shows("2 items discarded.")

    browser.press("z")

    browser.shows("2 items restored.")
    assert [Item.objects.get(pk=item.pk).status for item in (*items, kept)] == [
        Status.FAILED,
        Status.READY_TO_CONFIRM,
        Status.DISCARDED,
    ]


def test_failed_item_is_looked_at_and_retried_by_keyboard(browser: Browser, reviewer: User, person: User) -> None:
    item = make_item(person, status=Status.FAILED)
    browser.log_in(reviewer)
    browser.open("/admin/")

    browser.tab_to("Failed")
    browser.press(Keys.ENTER)
    until(lambda: browser.path == LIST)
    browser.tab_to("Preview")
    browser.press(Keys.SPACE)
    browser.shows(RAW_TEXT)
    browser.press(Keys.ENTER)
    until(lambda: RAW_TEXT not in browser.text)
    browser.tab_to("Retry")
    browser.press(Keys.ENTER)

    browser.shows("sent back to enrichment.")
    until(lambda: Item.objects.filter(pk=item.pk, status=Status.READY_TO_CONFIRM).exists())


def test_reader_sees_items_and_no_buttons(browser: Browser, reader: User, person: User) -> None:
    failed = make_item(person, status=Status.FAILED)
    ready = make_item(person, status=Status.READY_TO_CONFIRM)
    browser.log_in(reader)

    for path in (LIST, detail(failed), detail(ready)):
        browser.open(path)

        assert not [name for name in BUTTONS if browser.has(name)], path

    browser.open(LIST)
    browser.click("Preview")
    browser.shows(RAW_TEXT)

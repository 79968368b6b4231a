"""Reviewers work with the keyboard alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from selenium.common.exceptions import JavascriptException
from selenium.webdriver import Keys

from items.models import Item
from items.states import Status
from tests.browser.browser import Browser
from tests.items.admin.pages import LIST, detail
from tests.items.factories import make_item
from tests.waiting import until

DRAFTS = 80
READY = Status.READY_TO_CONFIRM
FOCUSED_ROW = "document.activeElement.closest('[data-row]')?.querySelector('input[type=checkbox]')?.value ?? null"
FOCUSED_ID = "document.activeElement.id"
COUNT_CLICKS = "window.clicks = 0; addEventListener('click', () => (window.clicks += 1), true)"


def make_items(owner: User, number: int, status: Status = READY) -> list[Item]:
    """Save items in the order of the list."""
    now = timezone.now()
    return [make_item(owner, status=status, created_at=now - timedelta(minutes=each)) for each in range(number)]


def value(browser: Browser, script: str) -> Any:
    return browser.driver.execute_script(f"return {script}")


def until_is(browser: Browser, script: str, expected: object) -> None:
    """Wait until a loaded page has this value."""

    def is_so() -> bool:
        try:
            return bool(value(browser, "document.readyState") == "complete" and value(browser, script) == expected)
        except JavascriptException:
            return False

    until(is_so)


def until_open(browser: Browser, item: Item) -> None:
    until_is(browser, "location.pathname", detail(item))


def until_focus_on(browser: Browser, item: Item) -> None:
    until_is(browser, FOCUSED_ROW, str(item.pk))


def until_number(status: Status, number: int) -> None:
    until(lambda: Item.objects.filter(status=status).count() == number)


@pytest.mark.thorough
def test_drafts_are_confirmed_with_one_key_each(browser: Browser, reviewer: User, person: User) -> None:
    drafts = make_items(person, DRAFTS)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status={READY}")
    until_is(browser, "document.querySelectorAll('[data-row]').length", 50)

    browser.press("j", Keys.ENTER)
    browser.shows(f"1 of {DRAFTS}")
    for number, draft in enumerate(drafts, start=1):
        until_open(browser, draft)
        browser.press("c")
        until_number(Status.ARCHIVED, number)

    browser.shows("That was the last item of its status in this list.")
    assert browser.path == LIST
    assert browser.keys_pressed == len(["j", Keys.ENTER]) + DRAFTS
    until_is(browser, "document.querySelector('[role=status]').textContent.includes('last item')", True)


def test_focus_is_on_the_next_row_after_each_action(browser: Browser, reviewer: User, person: User) -> None:
    first, second, third, fourth = make_items(person, 4, Status.FAILED)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status=FAILED&error_reason=TIMED_OUT")

    browser.press("j", "j", "k")
    until_focus_on(browser, first)
    browser.press("x", "j", "x")
    selected = value(browser, "[...document.querySelectorAll('[data-row] input:checked')].map((box) => box.value)")
    browser.press("k", "d")
    browser.shows("Discard this item?")
    browser.press(Keys.TAB)
    browser.click("Discard")
    until_focus_on(browser, second)
    browser.press("j", "d")
    browser.shows("Discard this item?")
    browser.click("Go back")
    until_focus_on(browser, fourth)
    browser.press("k", "k", "r")
    until_focus_on(browser, third)

    assert selected == [str(first.pk), str(second.pk)]
    assert value(browser, "document.querySelectorAll('[data-row][aria-current]').length") == 1
    assert {item.pk for item in Item.objects.filter(status=Status.FAILED)} == {third.pk, fourth.pk}
    browser.press("g", "p")
    until_is(browser, "location.search", "?status=PENDING")


def test_keys_do_nothing_while_typing(browser: Browser, reviewer: User, person: User) -> None:
    (item,) = make_items(person, 1)
    browser.log_in(reviewer)
    browser.open(detail(item))
    browser.driver.execute_script(COUNT_CLICKS)

    browser.press("e")
    until_is(browser, FOCUSED_ID, "id_title")
    browser.press("cdrex?/j")
    assert browser.field("Title").get_property("value") == "cdrex?/j"
    assert not value(browser, "document.querySelector('dialog')")
    browser.press(Keys.ESCAPE)
    until_is(browser, FOCUSED_ID, "")
    browser.press("/")
    browser.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "key": "c", "modifiers": 2})
    browser.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "key": "d", "autoRepeat": True})

    assert value(browser, "window.clicks") == 0
    browser.press("c")
    until_number(Status.ARCHIVED, 1)
    assert Item.objects.get().title == "cdrex?/j"


def test_request_under_way_is_not_doubled(browser: Browser, reviewer: User, person: User) -> None:
    first, second = make_items(person, 2)
    browser.log_in(reviewer)
    browser.open(detail(first))

    browser.driver.execute_script(
        "for (const each of [1, 2, 3])"
        " document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', bubbles: true}));"
    )
    until_open(browser, second)

    browser.shows("was confirmed and archived")
    assert value(browser, "document.querySelectorAll('.messagelist li').length") == 1
    assert Item.objects.get(pk=second.pk).status == READY
    until_is(browser, "document.activeElement.hasAttribute('data-start')", True)


def test_help_lists_the_keys_and_turns_them_off(browser: Browser, reviewer: User, person: User) -> None:
    make_items(person, 2)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status={READY}")

    browser.press("?")
    browser.shows("Next row")
    shown = browser.text
    barriers = []
    for theme in ("light", "dark"):
        browser.theme(theme)
        barriers += browser.barriers()
    browser.field("Single keys are shortcuts").click()
    browser.click("Close")
    browser.press("j")
    is_off = value(browser, FOCUSED_ROW)
    browser.click("Keyboard shortcuts")
    browser.field("Single keys are shortcuts").click()
    browser.click("Close")
    browser.press("j")

    assert barriers == []
    assert [key for key in ("Confirm", "Discard", "Preview", "Search", "Select the row") if key not in shown] == []
    assert "Retry" not in shown.split("Next row")[1]
    assert is_off is None
    assert value(browser, FOCUSED_ROW) is not None

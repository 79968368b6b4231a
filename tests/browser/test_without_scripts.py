"""Owners and reviewers work in a browser that runs no scripts."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.support.select import Select

from items.models import EnrichmentPause, Item
from items.pauses import staff_pause
from items.reasons import Reason
from items.states import Status
from tests.browser.browser import Browser
from tests.items.admin.pages import LIST, detail
from tests.items.factories import make_item
from tests.waiting import until

PENDING = "/api/v1/items/pending"
TEXT = "The beans went in on Sunday. Water them each evening."


@pytest.fixture
def plain(browser: Browser) -> Iterator[Browser]:
    """The scripts of these tests run, those of the pages do not."""
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    EnrichmentPause.objects.all().delete()


def statuses(*items: Item) -> list[str]:
    return [Item.objects.get(pk=item.pk).status for item in items]


def test_owner_captures_confirms_and_searches(plain: Browser, person: User) -> None:
    def is_ready() -> bool:
        plain.reload()
        return plain.has("Confirm")

    plain.open("/")
    plain.type("ada", into="Name")
    plain.type("correct horse", into="Password")
    plain.click("Log in")
    plain.type(TEXT, into="Text")
    plain.click("Capture")
    plain.shows("The text was captured.")
    until(is_ready)
    item = Item.objects.get()
    plain.click(str(item.title))
    plain.type("Beans", into="Title")
    plain.click("Confirm")
    plain.shows("was confirmed.")
    plain.click("Items")
    plain.type("evening", into="Search")
    plain.click("Filter")

    plain.shows("Beans")
    assert " UTC" in plain.text
    assert statuses(item) == [Status.ARCHIVED]


def test_owner_discards_several_and_restores_them(plain: Browser, person: User) -> None:
    items = [make_item(person, status=Status.READY_TO_CONFIRM, title=f"Draft {number}") for number in range(3)]
    plain.log_in(person)
    plain.open(PENDING)

    for number in range(2):
        plain.field(f"Select “Draft {number}”").click()
    plain.click("Discard the selected items")
    plain.shows("2 items were discarded.")
    discarded = statuses(*items)
    plain.click("Undo")

    plain.shows("2 items were restored.")
    assert discarded == [Status.DISCARDED, Status.DISCARDED, Status.READY_TO_CONFIRM]
    assert set(statuses(*items)) == {Status.READY_TO_CONFIRM}


def test_owner_asks_for_another_draft(plain: Browser, person: User) -> None:
    item = make_item(person, status=Status.READY_TO_CONFIRM, title="Draft")
    plain.log_in(person)
    plain.open(f"/api/v1/items/{item.pk}")

    plain.click("Draft again")

    until(lambda: Item.objects.get().former_draft is not None)
    until(lambda: Item.objects.get().status == Status.READY_TO_CONFIRM)


def test_reviewer_clears_a_reason_and_undoes_a_discard(plain: Browser, reviewer: User, person: User) -> None:
    refused = [make_item(person, status=Status.FAILED, error_reason=Reason.TEXT_REFUSED) for _ in range(3)]
    others = [make_item(person, status=Status.FAILED, error_reason=Reason.KEY_REFUSED) for _ in range(2)]
    plain.log_in(reviewer)
    plain.open(f"{LIST}?status=FAILED")

    plain.click("Retry 2 items")
    plain.shows("2 items sent back to enrichment.")
    plain.click("Discard 3 items…")
    plain.shows("Discard 3 items?")
    plain.click("Discard")
    plain.shows("3 items discarded.")
    discarded = statuses(*refused)
    plain.click("Undo")
    plain.shows("3 items restored.")

    until(lambda: set(statuses(*others)) == {Status.READY_TO_CONFIRM})
    assert set(discarded) == {Status.DISCARDED}
    assert set(statuses(*refused)) == {Status.FAILED}


def test_reviewer_filters_and_confirms_selected_items(plain: Browser, reviewer: User, person: User) -> None:
    ready = make_item(person, status=Status.READY_TO_CONFIRM, title="Draft")
    make_item(person, status=Status.FAILED)
    plain.log_in(reviewer)
    plain.open(LIST)

    plain.click("Status")
    plain.click("Ready to confirm")
    plain.shows("1 item")
    plain.click("Draft")
    until(lambda: plain.path == detail(ready))
    plain.click("Back to the list")
    plain.driver.find_element("name", "_selected_action").click()
    Select(plain.field("Action")).select_by_visible_text("Confirm selected items")
    plain.click("Go")

    plain.shows("1 item confirmed and archived.")
    assert statuses(ready) == [Status.ARCHIVED]


def test_reviewer_pauses_and_resumes_enrichment(plain: Browser, reviewer: User, person: User) -> None:
    User.objects.filter(pk=reviewer.pk).update(is_superuser=True)
    plain.log_in(reviewer)
    plain.open("/admin/")

    plain.click("Pause enrichment")
    plain.shows("Enrichment is paused for all owners. Calls in flight finish.")
    pause = staff_pause()
    plain.click("Resume enrichment")
    plain.shows("Enrichment is resumed for all owners.")

    assert pause is not None
    assert staff_pause() is None

"""Three hundred failures of six reasons, cleared without a mouse."""

from django.contrib.auth.models import User
from selenium.webdriver.common.keys import Keys

from items.models import Item
from items.reasons import Reason
from items.states import Status
from tests.browser.browser import Browser
from tests.items.admin.pages import LIST
from tests.items.factories import make_item

RETRIED = {Reason.KEY_REFUSED: 100, Reason.QUOTA_EXHAUSTED: 80, Reason.MODEL_UNKNOWN: 60}
DISCARDED = {Reason.TEXT_REFUSED: 40, Reason.TEXT_TOO_LONG: 15, Reason.MODEL_DECLINED: 5}
KEY_PRESSES_MAX = 30


def test_failures_of_six_reasons_are_cleared_by_keyboard(browser: Browser, reviewer: User, person: User) -> None:
    for reason, number in {**RETRIED, **DISCARDED}.items():
        for _ in range(number):
            make_item(person, status=Status.FAILED, error_reason=reason)
    browser.log_in(reviewer)
    browser.open(f"{LIST}?status=FAILED")

    browser.press("j")
    for number in RETRIED.values():
        browser.press("r")
        browser.shows(f"{number} items sent back to enrichment.")
    for number in DISCARDED.values():
        browser.press("d")
        browser.shows(f"Discard {number} items?")
        browser.press(Keys.ENTER)
        browser.shows(f"{number} items discarded.")

    assert browser.keys_pressed <= KEY_PRESSES_MAX
    assert not Item.objects.filter(status=Status.FAILED).exists()
    assert Item.objects.filter(status=Status.DISCARDED).count() == sum(DISCARDED.values())

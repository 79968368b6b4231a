"""The front page of the admin: it fills in, and the charts show values by pointer and by keyboard."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from selenium.common.exceptions import JavascriptException, NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from items.models import EnrichmentPause
from items.models.period import Period
from items.pauses import staff_pause
from items.states import Status
from tests.browser.browser import Browser
from tests.items.factories import make_attempt, make_item
from tests.waiting import until

READOUT = "return document.getElementById('throughput-readout').textContent"
UPDATED = (JavascriptException, NoSuchElementException, StaleElementReferenceException)


@pytest.fixture
def pauses_removed(transactional_db: None) -> Iterator[None]:
    yield
    EnrichmentPause.objects.all().delete()


@pytest.mark.parametrize("width", [360, 1366])
def test_front_page_fills_in_and_shows_values(browser: Browser, reviewer: User, width: int) -> None:
    item = make_item(reviewer, status=Status.ARCHIVED)
    finished_at = timezone.now() - timedelta(hours=3)
    make_attempt(
        item, finished_at=finished_at, worker=f"a-worker-with-a-long-name-{'x' * 30}:12345", cost_usd=Decimal(2)
    )
    make_attempt(item, number=2, finished_at=timezone.now(), worker="another-worker:1")
    Period.objects.all().delete()
    browser.resize(width, 800)
    browser.log_in(reviewer)

    browser.open("/admin/")
    browser.shows("Known cost of each hour of the last day")
    hour = f"{finished_at:%H}:00 to {finished_at + timedelta(hours=1):%H}:00: 1 succeeded, 0 others"
    until(lambda: value_under_the_pointer(browser) == hour)
    until(lambda: value_chosen_by_keys(browser) == hour)

    for theme in ("light", "dark"):
        browser.theme(theme)
        found = browser.faults() + browser.barriers()
        assert not found, "\n".join((theme, *found))


def value_under_the_pointer(browser: Browser) -> str:
    """Point at the column of three hours ago. An update of the page may take it away meanwhile."""
    try:
        slot = browser.driver.find_element(By.CSS_SELECTOR, "svg.item-chart:first-of-type [data-value*='1 succeeded']")
        browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", slot)
        ActionChains(browser.driver).move_to_element(slot).perform()
        return str(browser.driver.execute_script(READOUT))
    except UPDATED:
        return ""


def value_chosen_by_keys(browser: Browser) -> str:
    """Go to the column of three hours ago. An update of the page may take the focus away meanwhile."""
    try:
        browser.driver.execute_script("document.querySelector('svg.item-chart').focus()")
        for key in (Keys.HOME, Keys.END, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT):
            browser.press(key)
        return str(browser.driver.execute_script(READOUT))
    except UPDATED:
        return ""


def test_pause_and_resume_by_keyboard(browser: Browser, reviewer: User, pauses_removed: None) -> None:
    User.objects.filter(pk=reviewer.pk).update(is_superuser=True)
    browser.log_in(reviewer)
    browser.open("/admin/")

    browser.tab_to("Pause enrichment")
    browser.press(Keys.ENTER)
    browser.shows("Enrichment is paused for all owners. Calls in flight finish.")
    pause = staff_pause()
    found = browser.barriers()
    browser.tab_to("Resume enrichment")
    browser.press(Keys.ENTER)
    browser.shows("Enrichment is resumed for all owners.")

    assert pause is not None
    assert staff_pause() is None
    assert not found, "\n".join(found)

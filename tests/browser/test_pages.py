"""Every page, in narrow and wide windows, light and dark: readable, reachable and accessible."""

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from django.contrib.auth.models import Group, User
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from items.models import EnrichmentPause, Item
from litevault.accounts.models import ApiToken
from tests.browser.admin_visits import ADMIN_PAGES
from tests.browser.browser import EVERY, Browser
from tests.browser.visits import OWNER_PAGES, make_items

PAGES = {**OWNER_PAGES, **ADMIN_PAGES}
HEIGHTS: Mapping[int, int] = {360: 740, 768: 1024, 1366: 768, 1920: 1080}
WINDOWS = (("light", 1366), ("dark", 360))
OTHER_WINDOWS = (("light", 768), ("dark", 1920))


@pytest.fixture
def items(person: User, reviewer: User) -> Iterator[dict[str, Item]]:
    User.objects.filter(pk=reviewer.pk).update(is_superuser=True)
    yield make_items(reviewer, person)
    EnrichmentPause.objects.all().delete()
    Group.objects.all().delete()


def show(browser: Browser, theme: str, width: int) -> None:
    browser.theme(theme)
    browser.resize(width, HEIGHTS[width])


@pytest.mark.parametrize("page", PAGES)
def test_page_is_read_by_everybody(browser: Browser, reviewer: User, items: dict[str, Item], page: str) -> None:
    browser.log_in(reviewer)

    PAGES[page](browser, items)

    for theme, width in OTHER_WINDOWS:
        show(browser, theme, width)
        found = browser.faults()
        assert not found, "\n".join((f"{theme}, {width}", *found))
    for theme, width in WINDOWS:
        show(browser, theme, width)
        found = browser.faults() + browser.barriers(EVERY)
        assert not found, "\n".join((f"{theme}, {width}", *found))


@pytest.mark.soak
@pytest.mark.parametrize("page", PAGES)
def test_page_is_read_in_every_window(browser: Browser, reviewer: User, items: dict[str, Item], page: str) -> None:
    browser.log_in(reviewer)

    PAGES[page](browser, items)

    for theme, width in product(("light", "dark"), HEIGHTS):
        show(browser, theme, width)
        found = browser.faults() + browser.barriers(EVERY)
        assert not found, "\n".join((f"{theme}, {width}", *found))


def test_reference_of_the_api_calls_it_with_a_token(browser: Browser, person: User) -> None:
    _, secret = ApiToken.objects.issue(user=person, name="Laptop")
    browser.open("/api/v1/docs")
    browser.shows("Capture a text")
    browser.click("Authorize")
    browser.type(secret, into="auth-bearer-value")
    browser.press(Keys.ENTER)
    dialog = browser.barriers(EVERY)
    browser.click("Close")
    browser.driver.find_element(By.CSS_SELECTOR, "#operations-Capture-captureItem button").click()
    browser.click("Try it out")
    browser.click("Execute")

    browser.shows("Server response")

    assert f"-H 'Authorization: Bearer {secret}'" in browser.text
    assert person.items.count() == 1
    found = dialog
    for theme, width in WINDOWS:
        show(browser, theme, width)
        found += [f"{theme}: {barrier}" for barrier in browser.barriers(EVERY)]
    assert not found, "\n".join(found)


def test_reference_of_the_api_loads_all_that_it_needs_from_here(browser: Browser) -> None:
    """The page is Swagger UI's own, so that its layout is not checked."""
    browser.open("/api/v1/docs")

    browser.shows("Enrich a failed item again")
    loaded = browser.driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert loaded
    assert all(address.startswith((browser.address, "data:")) for address in loaded)

"""Every page, wide and light, narrow and dark: readable, reachable and accessible."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from items.models import Item
from items.states import Outcome, SourceType, Status
from litevault.accounts.models import ApiToken, LoginThrottle
from tests.browser.browser import EVERY, GRAVE, Browser
from tests.items.admin.pages import LIST, detail, verb
from tests.items.factories import make_attempt, make_item

WINDOWS = {"light": (1440, 900), "dark": (360, 740)}
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_TEXT = f"https://example.org/{LONG_WORD * 3}\n\n{'Water the beans each evening. ' * 200}"
LONG_DRAFT: Mapping[str, object] = MappingProxyType(
    {
        "title": f"{LONG_WORD} and more",
        "summary": "Water the beans each evening, and put the net up. " * 9,
        "tags": [LONG_WORD[:50], *(f"tag number {n}" for n in range(19))],
        "source_type": SourceType.ARTICLE,
        "raw_text": LONG_TEXT,
    }
)
LONG_ERROR = (
    "LLM_API_ERROR: The provider refused the request, without a reason that is known. manage.py doctor sends a test "
    "request."
)


@pytest.fixture
def items(person: User, reviewer: User) -> dict[str, Item]:
    """Make an item of each status that a worker leaves alone, with very long words."""
    User.objects.filter(pk=reviewer.pk).update(is_superuser=True)
    items = {
        "failed": make_item(reviewer, status=Status.FAILED, enrichment_error=LONG_ERROR, raw_text=LONG_TEXT),
        "ready": make_item(reviewer, status=Status.READY_TO_CONFIRM, **LONG_DRAFT),
        "archived": make_item(reviewer, status=Status.ARCHIVED),
        "another's": make_item(person, status=Status.READY_TO_CONFIRM),
    }
    for number in range(1, 4):
        make_attempt(items["failed"], number=number, outcome=Outcome.FAILED, worker=f"{LONG_WORD[:50]}-{number}")
    make_attempt(items["ready"], model="openai/gpt-4o-mini", prompt_tokens=812, completion_tokens=104)
    return items


Visit = Callable[[Browser, Mapping[str, Item]], None]


def opened(path: str) -> Visit:
    return lambda browser, _items: browser.open(path)


def item_page(which: str) -> Visit:
    return lambda browser, items: browser.open(f"/api/v1/items/{items[which].pk}")


def detail_page(which: str) -> Visit:
    return lambda browser, items: browser.open(detail(items[which]))


def login_refused(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.start_over()
    browser.open("/login")
    browser.type("ada", into="Name")
    browser.type("wrong horse", into="Password")
    browser.click("Log in")
    browser.shows("is wrong")


def login_refused_too_often(browser: Browser, items: Mapping[str, Item]) -> None:
    login_refused(browser, items)
    LoginThrottle.objects.update(drained_at=timezone.now() + timedelta(minutes=1))
    browser.type("wrong horse", into="Password")
    browser.click("Log in")
    browser.shows("Too many logins failed.")
    browser.forgive("429 (Too Many Requests)")


def pending_with_questions_open(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/api/v1/items/pending")
    browser.click("Select all")
    browser.click("Retry all failed items…")


def list_with_preview(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open(LIST)
    browser.click("Preview")
    browser.shows("Open the item")


def first_page_with_table(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/admin/")
    browser.click("Show as a table")


def discard_question(browser: Browser, items: Mapping[str, Item]) -> None:
    browser.open(verb(items["failed"], "discard"))


def token_refused(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/admin/accounts/apitoken/add/")
    browser.type("nobody-of-that-name", into="User")
    browser.type("Laptop", into="Name")
    browser.click("Save")
    browser.shows("There is no user with this name.")


def token_made(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/admin/accounts/apitoken/add/")
    browser.type("ada", into="User")
    browser.type("Laptop", into="Name")
    browser.click("Save")
    browser.shows("Token created")


def own_tokens(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/account")
    browser.type(LONG_WORD, into="Name, such as the program or the machine that uses it")
    browser.click("Issue")
    browser.shows("Copy it now")
    browser.open("/account")
    browser.click("Revoke…")


def own_password_refused(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/account/password")
    browser.type("wrong horse", into="Old password")
    browser.type("correct", into="New password")
    browser.type("correct horse", into="New password again")
    browser.click("Change")
    browser.shows("Your old password was entered incorrectly")


def password_of_a_user(browser: Browser, items: Mapping[str, Item]) -> None:
    owner_id = items["another's"].owner_id
    browser.open(f"/admin/auth/user/{owner_id}/password/")
    browser.forgive("Input elements should have autocomplete attributes")  # the page is Django's


def nothing_here(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/nothing-here")
    browser.forgive("404 (Not Found)")


def no_such_item(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/api/v1/items/00000000-0000-0000-0000-000000000000")
    browser.forgive("404 (Not Found)")


PAGES: Mapping[str, Visit] = MappingProxyType(
    {
        "login": opened("/login"),
        "login refused": login_refused,
        "login refused too often": login_refused_too_often,
        "pending": opened("/api/v1/items/pending"),
        "pending, questions open": pending_with_questions_open,
        "items": opened("/api/v1/items"),
        "nothing found": opened("/api/v1/items?q=nothing-like-it"),
        "tags": opened("/api/v1/tags"),
        "shared text": opened("/capture?title=A+page&url=https://example.org/"),
        "failed item": item_page("failed"),
        "ready item": item_page("ready"),
        "archived item": item_page("archived"),
        "account": own_tokens,
        "own password, refused": own_password_refused,
        "password of a user": password_of_a_user,
        "nothing here": nothing_here,
        "no such item": no_such_item,
        "admin": opened("/admin/"),
        "admin, table open": first_page_with_table,
        "admin list": opened(LIST),
        "admin list, preview open": list_with_preview,
        "admin, reasons": opened(f"{LIST}?status=FAILED"),
        "admin, failed item": detail_page("failed"),
        "admin, ready item": detail_page("ready"),
        "discard question": discard_question,
        "admin login": opened("/admin/login/"),
        "tokens": opened("/admin/accounts/apitoken/"),
        "token form": opened("/admin/accounts/apitoken/add/"),
        "token form, refused": token_refused,
        "token made": token_made,
    }
)


@pytest.mark.parametrize("page", PAGES)
def test_page_is_read_by_everybody(browser: Browser, reviewer: User, items: dict[str, Item], page: str) -> None:
    browser.log_in(reviewer)

    PAGES[page](browser, items)

    for theme, (width, height) in WINDOWS.items():
        browser.theme(theme)
        browser.resize(width, height)
        is_admin = browser.path.startswith("/admin/")
        found = browser.faults() + browser.barriers(GRAVE if is_admin else EVERY)
        assert not found, "\n".join((theme, *found))


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
    for theme, (width, height) in WINDOWS.items():
        browser.theme(theme)
        browser.resize(width, height)
        found += [f"{theme}: {barrier}" for barrier in browser.barriers(EVERY)]
    assert not found, "\n".join(found)


def test_reference_of_the_api_loads_all_that_it_needs_from_here(browser: Browser) -> None:
    """The page is Swagger UI's own, so that its layout is not checked."""
    browser.open("/api/v1/docs")

    browser.shows("Enrich a failed item again")
    loaded = browser.driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert loaded
    assert all(address.startswith((browser.address, "data:")) for address in loaded)

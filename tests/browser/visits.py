"""The pages of the site, and the way to each."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from django.contrib.auth.models import User
from django.utils import timezone
from selenium.webdriver.support.select import Select

from items.models import Item
from items.reasons import Reason
from items.states import Outcome, SourceType, Status
from litevault.accounts.models import LoginThrottle
from tests.browser.browser import Browser
from tests.items.admin.pages import LIST, detail, verb
from tests.items.factories import make_attempt, make_item

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
ANOTHERS = "another's"
MODEL = "openai/gpt-4o-mini"
REASONS = (
    Reason.KEY_REFUSED,
    Reason.QUOTA_EXHAUSTED,
    Reason.MODEL_UNKNOWN,
    Reason.TEXT_REFUSED,
    Reason.TEXT_TOO_LONG,
    Reason.MODEL_DECLINED,
)
LONG_ERROR = (
    "LLM_API_ERROR: The provider refused the request, without a reason that is known. manage.py doctor sends a test "
    "request."
)


def make_items(reviewer: User, person: User) -> dict[str, Item]:
    """Make an item of each status, and failures of six more reasons. Some words are very long. No worker takes any."""
    tomorrow = timezone.now() + timedelta(days=1)
    items = {
        "enriching": make_item(reviewer, available_at=tomorrow),
        "failed": make_item(reviewer, status=Status.FAILED, enrichment_error=LONG_ERROR, raw_text=LONG_TEXT),
        "ready": make_item(reviewer, status=Status.READY_TO_CONFIRM, **LONG_DRAFT),
        "archived": make_item(reviewer, status=Status.ARCHIVED),
        "discarded": make_item(reviewer, status=Status.DISCARDED),
        ANOTHERS: make_item(person, status=Status.READY_TO_CONFIRM),
    }
    for number in range(1, 4):
        make_attempt(items["failed"], number=number, outcome=Outcome.FAILED, worker=f"{LONG_WORD[:50]}-{number}")
    make_attempt(items["ready"], model=MODEL, prompt_tokens=812, completion_tokens=104)
    for reason in REASONS:
        failed = make_item(person, status=Status.FAILED, error_reason=reason)
        make_attempt(failed, outcome=Outcome.FAILED, error_reason=reason, model=MODEL)
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
    browser.field("Select all").click()
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
    owner_id = items[ANOTHERS].owner_id
    browser.open(f"/admin/auth/user/{owner_id}/password/")
    browser.forgive("Input elements should have autocomplete attributes")  # the page is Django's


def bulk_question(action: str) -> Visit:
    def visit(browser: Browser, _items: Mapping[str, Item]) -> None:
        browser.open(f"{LIST}?status=PENDING")
        browser.field("Select all").click()
        Select(browser.field("Action")).select_by_visible_text(action)
        browser.click("Go")
        browser.shows("Go back")

    return visit


def bulk_discard_done(browser: Browser, items: Mapping[str, Item]) -> None:
    bulk_question("Discard selected items…")(browser, items)
    browser.click("Discard")
    browser.shows("items discarded.")


def selected_discarded(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/api/v1/items/pending")
    browser.press("j", "x")
    browser.shows("1 selected")
    browser.click("Discard the selected items")
    browser.shows("discarded")


def history(browser: Browser, items: Mapping[str, Item]) -> None:
    browser.open(f"{LIST}{items['discarded'].pk}/history/")


def user_page(name: str) -> Visit:
    return lambda browser, items: browser.open(f"/admin/auth/user/{items[ANOTHERS].owner_id}/{name}/")


def logged_out(path: str) -> Visit:
    def visit(browser: Browser, _items: Mapping[str, Item]) -> None:
        browser.start_over()
        browser.open(path)

    return visit


def nothing_here(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/nothing-here")
    browser.forgive("404 (Not Found)")


def no_such_item(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/api/v1/items/00000000-0000-0000-0000-000000000000")
    browser.forgive("404 (Not Found)")


PAGES: Mapping[str, Visit] = MappingProxyType(
    {
        "login": logged_out("/login"),
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
        "admin login": logged_out("/admin/login/"),
        "tokens": opened("/admin/accounts/apitoken/"),
        "token form": opened("/admin/accounts/apitoken/add/"),
        "token form, refused": token_refused,
        "token made": token_made,
        "enriching item": item_page("enriching"),
        "discarded item": item_page("discarded"),
        "words found": opened("/api/v1/items?q=beans"),
        "selected items discarded": selected_discarded,
        "admin, enriching item": detail_page("enriching"),
        "admin, archived item": detail_page("archived"),
        "admin, discarded item": detail_page("discarded"),
        "admin, nothing found": opened(f"{LIST}?q=nothing-like-it"),
        "admin, bulk discard": bulk_question("Discard selected items…"),
        "admin, bulk redraft": bulk_question("Draft selected items again…"),
        "admin, bulk discard done": bulk_discard_done,
        "admin, history": history,
        "users": opened("/admin/auth/user/"),
        "user": user_page("change"),
        "user, deletion": user_page("delete"),
        "group form": opened("/admin/auth/group/add/"),
    }
)

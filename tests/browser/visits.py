"""The items of these tests, the pages of owners, and the way to each."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from django.contrib.auth.models import User
from django.utils import timezone

from items.models import EnrichmentPause, Item
from items.models.enrichment_pause import PauseReason
from items.pauses import ALL_OWNERS, pause_enrichment
from items.reasons import Reason
from items.states import Outcome, SourceType, Status
from items.texts import TITLE_MAX_LENGTH
from litevault.accounts.models import LoginThrottle
from tests.browser.browser import Browser
from tests.items.factories import make_attempt, make_item
from tests.waiting import until

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


def own_token_issued(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/account")
    browser.type(LONG_WORD, into="Name, such as the program or the machine that uses it")
    browser.click("Issue")
    browser.shows("Copy it now")


def first_hour(path: str) -> Visit:
    """Open a page as a user who has no items yet."""

    def visit(browser: Browser, _items: Mapping[str, Item]) -> None:
        browser.start_over()
        browser.log_in(User.objects.create_user("newcomer"))
        browser.open(path)

    return visit


def paused(page: Visit) -> Visit:
    def visit(browser: Browser, items: Mapping[str, Item]) -> None:
        pause_enrichment()
        page(browser, items)
        browser.shows("paused")

    return visit


def budget_spent(page: Visit) -> Visit:
    def visit(browser: Browser, items: Mapping[str, Item]) -> None:
        midnight = timezone.now() + timedelta(hours=3)
        EnrichmentPause.objects.create(owner_id=ALL_OWNERS, reason=PauseReason.BUDGET, until=midnight)
        page(browser, items)
        browser.shows("budget of the day is spent")

    return visit


def redraft_under_way(page: Visit) -> Visit:
    def visit(browser: Browser, items: Mapping[str, Item]) -> None:
        items["ready"].redraft()
        page(browser, items)

    return paused(visit)


def redrafted(page: Visit) -> Visit:
    def visit(browser: Browser, items: Mapping[str, Item]) -> None:
        items["ready"].redraft()
        until(lambda: Item.objects.get(pk=items["ready"].pk).status == Status.READY_TO_CONFIRM)
        page(browser, items)

    return visit


def edit_refused(browser: Browser, items: Mapping[str, Item]) -> None:
    item_page("ready")(browser, items)
    browser.type("x" * (TITLE_MAX_LENGTH + 1), into="Title")
    browser.click("Confirm")
    browser.shows("Please check your input")
    browser.forgive("400 (Bad Request)")


def changed_meanwhile(browser: Browser, items: Mapping[str, Item]) -> None:
    item_page("ready")(browser, items)
    items["ready"].discard()
    browser.click("Confirm")
    browser.shows("The item has changed")
    browser.forgive_requests("409 (Conflict)", "412 (Precondition Failed)")


def selected_discarded(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/api/v1/items/pending")
    browser.press("j", "x")
    browser.shows("1 selected")
    browser.click("Discard the selected items")
    browser.shows("discarded")


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


OWNER_PAGES: Mapping[str, Visit] = MappingProxyType(
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
        "nothing here": nothing_here,
        "no such item": no_such_item,
        "enriching item": item_page("enriching"),
        "discarded item": item_page("discarded"),
        "words found": opened("/api/v1/items?q=beans"),
        "selected items discarded": selected_discarded,
        "no items yet": first_hour("/api/v1/items"),
        "nothing pending yet": first_hour("/api/v1/items/pending"),
        "no tags yet": first_hour("/api/v1/tags"),
        "account of a newcomer": first_hour("/account"),
        "own token issued": own_token_issued,
        "pending, paused": paused(opened("/api/v1/items/pending")),
        "enriching item, paused": paused(item_page("enriching")),
        "pending, budget spent": budget_spent(opened("/api/v1/items/pending")),
        "enriching item, budget spent": budget_spent(item_page("enriching")),
        "item drafted again, paused": redraft_under_way(item_page("ready")),
        "item with another draft": redrafted(item_page("ready")),
        "edit refused": edit_refused,
        "item changed meanwhile": changed_meanwhile,
    }
)

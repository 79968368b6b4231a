"""The pages of the admin, and the way to each."""

from collections.abc import Mapping
from types import MappingProxyType

from django.contrib.auth.models import Group
from selenium.webdriver.support.select import Select

from items.models import Item
from items.models.period import Period
from items.reasons import Reason
from items.texts import TAG_MAX_LENGTH
from litevault.accounts.models import ApiToken
from tests.browser.browser import Browser
from tests.browser.visits import ANOTHERS, LONG_WORD, Visit, budget_spent, logged_out, opened, paused, redrafted
from tests.items.admin.pages import LIST, detail, verb


def detail_page(which: str) -> Visit:
    return lambda browser, items: browser.open(detail(items[which]))


def list_with_preview(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open(LIST)
    browser.click("Preview")
    browser.shows("Open the item")


def first_page_with_table(browser: Browser, _items: Mapping[str, Item]) -> None:
    browser.open("/admin/")
    browser.click("Show as a table")


def first_page_while_it_fills_in(browser: Browser, _items: Mapping[str, Item]) -> None:
    Period.objects.all().delete()
    browser.open_after("window.fetch = () => new Promise(() => {});", "/admin/")
    browser.shows("Wait for them")


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


def edit_tags(browser: Browser, _items: Mapping[str, Item]) -> None:
    bulk_question("Edit tags of selected items…")(browser, _items)
    browser.type("x" * (TAG_MAX_LENGTH + 1), into="Tags to add")
    browser.click("Change tags")
    browser.shows("characters")


def token_page(browser: Browser, items: Mapping[str, Item]) -> None:
    token, _ = ApiToken.objects.issue(user=items[ANOTHERS].owner, name=LONG_WORD)
    browser.open(f"/admin/accounts/apitoken/{token.pk}/change/")


def tokens(browser: Browser, items: Mapping[str, Item]) -> None:
    ApiToken.objects.issue(user=items[ANOTHERS].owner, name=LONG_WORD)
    browser.open("/admin/accounts/apitoken/")


def audit_trail(browser: Browser, items: Mapping[str, Item]) -> None:
    browser.open(LIST)
    browser.click("Retry")
    browser.shows("sent back to enrichment")
    browser.open("/admin/items/auditevent/")


def menu_open(name: str) -> Visit:
    def visit(browser: Browser, _items: Mapping[str, Item]) -> None:
        browser.open(f"{LIST}?status=FAILED&error_reason={Reason.KEY_REFUSED}")
        browser.click(name)

    return visit


def groups(browser: Browser, _items: Mapping[str, Item]) -> None:
    Group.objects.get_or_create(name=LONG_WORD)
    browser.open("/admin/auth/group/")


def bulk_discard_done(browser: Browser, items: Mapping[str, Item]) -> None:
    bulk_question("Discard selected items…")(browser, items)
    browser.click("Discard")
    browser.shows("items discarded.")


def history(browser: Browser, items: Mapping[str, Item]) -> None:
    browser.open(f"{LIST}{items['discarded'].pk}/history/")


def user_page(name: str) -> Visit:
    return lambda browser, items: browser.open(f"/admin/auth/user/{items[ANOTHERS].owner_id}/{name}/")


ADMIN_PAGES: Mapping[str, Visit] = MappingProxyType(
    {
        "admin": opened("/admin/"),
        "admin, paused": paused(opened("/admin/")),
        "admin, budget spent": budget_spent(opened("/admin/")),
        "admin list, paused": paused(opened(LIST)),
        "admin list, filter open": menu_open("Error code"),
        "admin, edit tags": edit_tags,
        "admin, item drafted again": redrafted(detail_page("ready")),
        "admin, all discards of a reason": opened(f"{LIST}causes/{Reason.KEY_REFUSED}/discard/"),
        "admin, preview": lambda browser, items: browser.open(verb(items["failed"], "preview")),
        "audit trail": audit_trail,
        "items app": opened("/admin/items/"),
        "accounts app": opened("/admin/accounts/"),
        "token": token_page,
        "groups": groups,
        "user form": opened("/admin/auth/user/add/"),
        "password of a user": password_of_a_user,
        "admin, table open": first_page_with_table,
        "admin, filling in": first_page_while_it_fills_in,
        "admin list": opened(LIST),
        "admin list, preview open": list_with_preview,
        "admin, reasons": opened(f"{LIST}?status=FAILED"),
        "admin, failed item": detail_page("failed"),
        "admin, ready item": detail_page("ready"),
        "discard question": discard_question,
        "admin login": logged_out("/admin/login/"),
        "tokens": tokens,
        "token form": opened("/admin/accounts/apitoken/add/"),
        "token form, refused": token_refused,
        "token made": token_made,
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

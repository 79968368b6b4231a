"""One action on several items of a page, by their check boxes."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from items.models import AuditEvent, Item
from items.states import TRANSITIONS, Status
from tests.items.api.browser import ACCEPT, Browser, Forms
from tests.items.api.client import Api
from tests.items.factories import make_item

URL = "/api/v1/items/selected"
PENDING = "/api/v1/items/pending"


def choose(browser: Browser, action: str, items: list[str], **more: str) -> Any:
    form = browser.form(PENDING, to=URL)
    sent = {**form.fields, **more, "action": action, "items": items}
    return browser.client.post(URL, sent, headers=ACCEPT)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("confirm", Status.READY_TO_CONFIRM, Status.ARCHIVED),
        ("discard", Status.READY_TO_CONFIRM, Status.DISCARDED),
        ("retry", Status.FAILED, Status.ENRICHING),
    ],
)
def test_selected_items_are_changed_and_audited(owner: User, action: str, before: Status, after: Status) -> None:
    browser = Browser(owner)
    chosen = [make_item(owner, status=before) for _ in range(3)]
    other = make_item(owner, status=before)

    response = choose(browser, action, [str(item.id) for item in chosen])

    assert (response.status_code, response["Location"]) == (303, PENDING)
    assert set(Item.objects.filter(status=after)) == set(chosen)
    assert Item.objects.get(pk=other.pk).status == before
    events = AuditEvent.objects.filter(action=action)
    assert {event.object_id for event in events} == {str(item.id) for item in chosen}
    assert {event.actor_id for event in events} == {owner.pk}


def test_message_says_what_changed_and_what_did_not(owner: User) -> None:
    browser = Browser(owner)
    items = [make_item(owner, status=status) for status in (Status.READY_TO_CONFIRM, Status.FAILED, Status.ENRICHING)]

    choose(browser, "confirm", [str(item.id) for item in items])

    page = browser.open(PENDING)
    assert "1 item was confirmed. 2 did not change: the status does not allow it." in page
    assert "was confirmed" not in browser.open(PENDING)


def test_items_of_another_user_do_not_change(owner: User, stranger: User) -> None:
    browser = Browser(owner)
    make_item(owner, status=Status.READY_TO_CONFIRM)
    theirs = make_item(stranger, status=Status.READY_TO_CONFIRM, title="Secret")

    choose(browser, "discard", [str(theirs.id), str(uuid4())])

    theirs.refresh_from_db()
    assert theirs.status == Status.READY_TO_CONFIRM
    page = browser.open(PENDING)
    assert "2 did not change" in page
    assert "Secret" not in page


@pytest.mark.parametrize(
    ("action", "items", "sentence"),
    [
        ("confirm", [], "Selection has no items: check the box of at least one."),
        ("confirm", ["x"], "Selection must be the ids of items."),
        ("confirm", [str(uuid4()) for _ in range(101)], "Selection may have at most 100 items."),
        ("edit", [str(uuid4())], "Action must be one of"),
        ("", [str(uuid4())], "Action is required."),
    ],
)
def test_malformed_selection_is_refused(owner: User, action: str, items: list[str], sentence: str) -> None:
    browser = Browser(owner)
    make_item(owner, status=Status.READY_TO_CONFIRM)

    response = choose(browser, action, items)

    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_unknown_field_of_a_selection_is_refused(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = choose(browser, "confirm", [str(item.id)], title="x")

    assert response.status_code == 400
    item.refresh_from_db()
    assert item.status == Status.READY_TO_CONFIRM


def test_selection_without_its_csrf_token_is_refused(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = choose(browser, "confirm", [str(item.id)], csrfmiddlewaretoken="")

    assert response.status_code == 403


def test_selection_is_for_forms_only(owner: User) -> None:
    response = Api(owner).post("/items/selected", {"action": "confirm", "items": [str(uuid4())]})

    assert response.status_code == 415


@pytest.mark.parametrize("count", [1, 3])
def test_discard_is_undone_by_the_message(owner: User, count: int) -> None:
    browser = Browser(owner)
    items = [make_item(owner, status=Status.READY_TO_CONFIRM) for _ in range(count)]
    other = make_item(owner, status=Status.DISCARDED)
    choose(browser, "discard", [str(item.id) for item in items])

    page = browser.open(PENDING)
    undo = next(form for form in Forms(page).forms if form.fields.get("action") == "restore")
    ids = re.findall(r'type="hidden" name="items" value="([^"]+)"', page)
    response = browser.client.post(URL, {**undo.fields, "items": ids}, headers=ACCEPT)

    assert (response.status_code, response["Location"]) == (303, PENDING)
    assert set(Item.objects.filter(status=Status.READY_TO_CONFIRM)) == set(items)
    other.refresh_from_db()
    assert other.status == Status.DISCARDED


@pytest.mark.parametrize("status", [Status.READY_TO_CONFIRM, Status.FAILED, Status.DISCARDED])
def test_bar_has_the_actions_of_the_statuses_shown(owner: User, status: Status) -> None:
    make_item(owner, status=status)

    form = Browser(owner).form(f"/api/v1/items?status={status}", to=URL)

    expected = {action.value for action in TRANSITIONS[status]} - {"edit"}
    assert {value for _, value in form.buttons} == expected - ({"restore"} if status == Status.FAILED else set())

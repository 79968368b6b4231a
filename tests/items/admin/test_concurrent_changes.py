"""Changes by others while a reviewer has the item open."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from items.admin.labels import CHANGED_MEANWHILE, GONE
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, detail, form_of, messages, verb
from tests.items.factories import RAW_TEXT, make_item

NEW_DRAFT = {
    "title": "A better title",
    "summary": "A better summary.\r\nOn two lines.",
    "tags": "Two  Words\r\none\r\none",
}


def test_edit_of_a_changed_item_is_refused(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item)
    item.edit(title="The owner's own title")

    response = reviewer.post(detail(item), form | NEW_DRAFT | {"_confirm": ""})

    assert CHANGED_MEANWHILE in response.text
    item.refresh_from_db()
    assert (item.status, item.title) == (Status.READY_TO_CONFIRM, "The owner's own title")


@pytest.mark.parametrize("button", ["_save", "_confirm"])
def test_edit_of_a_discarded_item_is_refused_with_a_message(reviewer: Client, owner: User, button: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item)
    item.discard()

    response = reviewer.post(detail(item), form | NEW_DRAFT | {button: ""}, follow=True)

    (message,) = messages(response.text)
    assert "its status is “Discarded” now" in message
    assert Item.objects.get(pk=item.pk).title == item.title
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("name", ["retry", "confirm", "redraft", "discard"])
def test_button_of_an_item_with_a_new_status_shows_a_message(reviewer: Client, owner: User, name: str) -> None:
    item = make_item(owner, status=Status.DISCARDED)

    response = reviewer.post(verb(item, name), follow=True)

    (message,) = messages(response.text)
    assert "its status is “Discarded” now" in message
    assert RAW_TEXT not in message


@pytest.mark.parametrize("name", ["retry", "confirm", "redraft", "restore", "discard"])
def test_button_of_a_deleted_item_redirects_with_a_message(reviewer: Client, owner: User, name: str) -> None:
    item = make_item(owner)
    Item.objects.all().delete()

    response = reviewer.post(verb(item, name), follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages(response.text) == [GONE]


@pytest.mark.parametrize("button", ["_save", "_confirm"])
def test_form_of_a_deleted_item_redirects_with_a_message(reviewer: Client, owner: User, button: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item)
    Item.objects.all().delete()

    response = reviewer.post(detail(item), form | {button: ""}, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages(response.text) == [GONE]


@pytest.mark.parametrize(("button", "verb_name"), [("_save", "edit"), ("_confirm", "confirm")])
def test_item_deleted_before_the_lock_is_reported(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch, button: str, verb_name: str
) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item)
    vanish_before(verb_name, monkeypatch)

    response = reviewer.post(detail(item), form | NEW_DRAFT | {button: ""}, follow=True)

    assert messages(response.text) == [GONE]


@pytest.mark.parametrize(("name", "status"), [("retry", Status.FAILED), ("discard", Status.FAILED)])
def test_item_deleted_during_an_action_is_reported(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch, name: str, status: Status
) -> None:
    item = make_item(owner, status=status)
    vanish_before(name, monkeypatch)

    response = reviewer.post(verb(item, name), follow=True)

    assert messages(response.text) == [GONE]
    assert not LogEntry.objects.exists()


def vanish_before(verb_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete the row after the page has loaded it and before the action locks it."""
    original = getattr(Item, verb_name)

    def late(item: Item, **changes: object) -> None:
        Item.objects.filter(pk=item.pk).delete()
        original(item, **changes)

    monkeypatch.setattr(Item, verb_name, late)

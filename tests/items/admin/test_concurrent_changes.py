"""Changes by others while a reviewer has the item open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from items.admin.labels import CHANGED_MEANWHILE, GONE
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, detail, form_of, messages, verb
from tests.items.factories import RAW_TEXT, make_item
from tests.items.other_connection import and_disconnect, other_connection, until_somebody_waits

EDIT = "UPDATE items SET title = 'Theirs', updated_at = clock_timestamp() WHERE id = %s"
DELETE = "DELETE FROM items WHERE id = %s"

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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("button", ["_save", "_confirm"])
def test_edit_that_waits_for_another_one_is_refused(reviewer: Client, owner: User, button: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item)

    response = post_during(EDIT, item, lambda: reviewer.post(detail(item), form | NEW_DRAFT | {button: ""}))

    assert CHANGED_MEANWHILE in response.text
    item.refresh_from_db()
    assert (item.status, item.title) == (Status.READY_TO_CONFIRM, "Theirs")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["confirm", "discard"])
def test_button_that_waits_for_an_edit_is_refused(reviewer: Client, owner: User, name: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    seen = {"seen": item.updated_at.isoformat()}

    response = post_during(EDIT, item, lambda: reviewer.post(verb(item, name), seen, follow=True))

    assert messages(response.text) == [CHANGED_MEANWHILE]
    assert Item.objects.get(pk=item.pk).status == Status.READY_TO_CONFIRM
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_form_that_waits_for_a_deletion_is_reported(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = form_of(reviewer, item) | NEW_DRAFT | {"_save": ""}

    response = post_during(DELETE, item, lambda: reviewer.post(detail(item), form, follow=True))

    assert messages(response.text) == [GONE]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["confirm", "discard"])
def test_button_that_waits_for_a_deletion_is_reported(reviewer: Client, owner: User, name: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = post_during(DELETE, item, lambda: reviewer.post(verb(item, name), follow=True))

    assert messages(response.text) == [GONE]
    assert not LogEntry.objects.exists()


def post_during(change: LiteralString, item: Item, post: Callable[[], Any]) -> Any:
    """Send the request while another transaction has changed the item, and commit that once the request waits."""
    with ThreadPoolExecutor(1) as pool, other_connection(autocommit=False) as other:
        other.execute(change, [item.pk])
        posting = pool.submit(and_disconnect, post)
        until_somebody_waits()
        other.commit()
        return posting.result(timeout=60)

"""The buttons in a row of the list, and the preview of the text."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.admin.labels import CHANGED_MEANWHILE, GONE
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, messages, verb
from tests.items.admin.staff import staff_client
from tests.items.factories import TIMEOUT, make_item


@pytest.mark.parametrize("status", Status)
def test_row_has_the_permitted_buttons_only(reviewer: Client, viewer: Client, owner: User, status: Status) -> None:
    item = make_item(owner, status=status)
    confirmer = staff_client("confirmer", "view_item", "confirm_item")

    allowed = {action.value for action in item.allowed_actions} - {"edit"}
    assert buttons(reviewer.get(LIST).text) == allowed | {"preview"}
    assert buttons(confirmer.get(LIST).text) == (allowed & {"confirm"}) | {"preview"}
    assert buttons(viewer.get(LIST).text) == {"preview"}


def buttons(page: str) -> set[str]:
    return set(re.findall(r'class="item-row-action[^>]*(?:href|formaction)="[0-9a-f-]{36}/(\w+)/', page))


@pytest.mark.parametrize(("name", "status"), [("retry", Status.FAILED), ("confirm", Status.READY_TO_CONFIRM)])
def test_button_in_a_row_returns_to_the_filtered_list(reviewer: Client, owner: User, name: str, status: Status) -> None:
    item = make_item(owner, status=status)
    page = reviewer.get(LIST, {"status": status.value, "owner": "owner"}).text

    response = reviewer.post(f"{LIST}{address_of(page, name)}", follow=True)

    assert response.redirect_chain == [(f"{LIST}?status={status}&owner=owner", 302)]
    assert len(messages(response.text)) == 1
    assert Item.objects.get(pk=item.pk).status == {"retry": Status.ENRICHING, "confirm": Status.ARCHIVED}[name]


def address_of(page: str, name: str) -> str:
    found = re.search(rf'(?:href|formaction)="([0-9a-f-]{{36}}/{name}/[^"]*)"', page)
    assert found
    return unescape(found[1])


def test_confirm_in_a_row_refuses_a_changed_draft(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    page = reviewer.get(LIST).text
    item.edit(title="Another")

    response = reviewer.post(f"{LIST}{address_of(page, 'confirm')}", follow=True)

    assert messages(response.text) == [CHANGED_MEANWHILE]
    assert Item.objects.get(pk=item.pk).status == Status.READY_TO_CONFIRM


def test_discard_in_a_row_needs_confirmation_and_returns(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    address = f"{LIST}{address_of(reviewer.get(LIST, {'status': 'FAILED'}).text, 'discard')}"

    question = reviewer.get(address)
    response = reviewer.post(address)

    assert "Discard this item?" in question.text
    assert f'href="{LIST}?status=FAILED"' in question.text
    assert response.headers["Location"] == f"{LIST}?status=FAILED"
    assert Item.objects.get(pk=item.pk).status == Status.DISCARDED


@pytest.mark.parametrize("query", ["", "?part="])
def test_preview_shows_text_draft_and_error_escaped(viewer: Client, owner: User, query: str) -> None:
    text = "<b>text</b>"
    ready = make_item(owner, status=Status.READY_TO_CONFIRM, raw_text=text, title="<i>title</i>", tags=["<u>tag</u>"])
    failed = make_item(owner, status=Status.FAILED, raw_text=text)

    pages = [viewer.get(verb(item, "preview") + query) for item in (ready, failed)]

    assert [page.status_code for page in pages] == [200, 200]
    assert all("&lt;b&gt;text&lt;/b&gt;</pre>" in page.text for page in pages)
    assert not any(html in page.text for html in (text, "<i>title", "<u>tag") for page in pages)
    assert TIMEOUT in pages[1].text
    assert ("<html" in pages[0].text) == (query == "")
    assert "no-store" in pages[0].headers["Cache-Control"]


def test_preview_of_a_deleted_item_shows_a_message(viewer: Client, owner: User) -> None:
    item = make_item(owner)
    Item.objects.all().delete()

    assert GONE in unescape(viewer.get(f"{verb(item, 'preview')}?part=").text)

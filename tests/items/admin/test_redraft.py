"""Redrafts by a reviewer, who is asked before edits are replaced."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.models import Item
from items.states import EnrichmentMode, Outcome, Status
from tests.items.admin.pages import LIST, messages, verb
from tests.items.admin.staff import staff_client
from tests.items.factories import make_attempt, make_item

ASKS = "Draft this item again?"


def status_of(item: Item) -> str:
    return str(Item.objects.get(pk=item.pk).status)


@pytest.mark.parametrize("status", [Status.READY_TO_CONFIRM, Status.ARCHIVED])
def test_unedited_draft_is_made_again_at_once(reviewer: Client, owner: User, status: Status) -> None:
    item = make_item(owner, status=status, enrichment_mode=EnrichmentMode.MANUAL)

    response = reviewer.post(f"{verb(item, 'redraft')}?back=list", follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages(response.text) == [f"The item “{item.title}” was sent to be drafted again."]
    assert status_of(item) == Status.ENRICHING


def test_edited_draft_is_replaced_only_after_a_question(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    item.edit(title="Edited")

    page = reviewer.post(verb(item, "redraft"))
    asked = status_of(item)
    reviewer.post(verb(item, "redraft"), dict(page.context["hidden_fields"]))

    assert ASKS in page.text
    assert "This draft was edited by a person." in page.text
    assert (asked, status_of(item)) == (Status.READY_TO_CONFIRM, Status.ENRICHING)


def test_edit_of_an_earlier_draft_needs_no_question(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    item.edit(title="Edited")
    make_attempt(item, outcome=Outcome.SUCCEEDED)

    reviewer.post(verb(item, "redraft"))

    assert status_of(item) == Status.ENRICHING


def test_redraft_needs_the_permission_to_retry(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = staff_client("confirmer", "view_item", "confirm_item", "discard_item").post(verb(item, "redraft"))

    assert (response.status_code, status_of(item)) == (403, Status.READY_TO_CONFIRM)


def test_restore_needs_the_permission_to_discard(owner: User) -> None:
    item = make_item(owner, status=Status.DISCARDED)

    response = staff_client("retrier", "view_item", "retry_item").post(verb(item, "restore"))

    assert (response.status_code, status_of(item)) == (403, Status.DISCARDED)


def test_history_shows_the_replaced_draft(reviewer: Client, owner: User) -> None:
    draft = {"title": "<b>Before", "summary": None, "tags": ["a", "b"], "sourceType": "NOTE"}
    item = make_item(owner, status=Status.READY_TO_CONFIRM, former_draft=draft)

    page = reviewer.get(f"{LIST}{item.pk}/history/").text

    assert "&lt;b&gt;Before" in page
    assert "a, b" in page

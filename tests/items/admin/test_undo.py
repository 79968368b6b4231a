"""The button in the message after a discard."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from items.models import AuditEvent, Item
from items.states import Action, Status
from tests.items.admin.pages import LIST, detail, messages, verb
from tests.items.admin.staff import EVERY_VERB, staff, staff_client
from tests.items.admin.test_actions import choose
from tests.items.factories import make_item
from tests.items.other_connection import other_connection

UNDO = f"{LIST}undo/"
UNDISCARDED = [status for status in Status if status != Status.DISCARDED]


def undo_button(page: str) -> tuple[str, dict[str, str]]:
    """Return the URL and the fields of the form in the message."""
    found = re.search(r'<form class="item-undo" method="post" action="([^"]*)">(.*?)</form>', page)
    assert found
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[2]))
    return unescape(found[1]), fields


def statuses(items: list[Item]) -> list[str]:
    return [Item.objects.get(pk=item.pk).status for item in items]


def discard_all(reviewer: Client, *items: Item, query: str = "") -> tuple[str, dict[str, str]]:
    page = reviewer.post(LIST + query, choose(Action.DISCARD, *items, confirmed=True), follow=True)
    return undo_button(page.text)


@pytest.mark.parametrize("status", UNDISCARDED)
@pytest.mark.parametrize("back", ["", "?back=list"])
def test_undo_takes_one_item_back(reviewer: Client, owner: User, status: Status, back: str) -> None:
    item = make_item(owner, status=status)
    page = reviewer.post(verb(item, "discard") + back, follow=True)
    url, fields = undo_button(page.text)

    response = reviewer.post(url, fields, follow=True)

    assert statuses([item]) == [status]
    assert response.redirect_chain == [(LIST if back else detail(item), 302)]
    (message,) = messages(response.text)
    assert message.endswith("was restored.")


def test_undo_passes_the_check_for_forged_requests(owner: User) -> None:
    reviewer = Client(enforce_csrf_checks=True)
    reviewer.force_login(staff("reviewer", *EVERY_VERB))
    item = make_item(owner, status=Status.FAILED)
    token = reviewer.get(LIST).context["csrf_token"]
    page = reviewer.post(verb(item, "discard"), {"csrfmiddlewaretoken": str(token)}, follow=True)
    url, fields = undo_button(page.text)

    refused = reviewer.post(url, {**fields, "csrfmiddlewaretoken": "x" * 64})
    accepted = reviewer.post(url, fields)

    assert (refused.status_code, accepted.status_code) == (403, 302)
    assert statuses([item]) == [Status.FAILED]


def test_undo_restores_exactly_the_items_of_the_bulk(reviewer: Client, owner: User, stranger: User) -> None:
    items = [make_item(user, status=status) for user in (owner, stranger) for status in UNDISCARDED]
    before, later = make_item(owner, status=Status.FAILED), make_item(owner, status=Status.FAILED)
    discard_all(reviewer, before)
    url, fields = discard_all(reviewer, *items, query="?owner=owner")
    discard_all(reviewer, later)

    response = reviewer.post(url, fields, follow=True)

    assert statuses(items) == UNDISCARDED * 2
    assert statuses([before, later]) == [Status.DISCARDED] * 2
    assert response.redirect_chain == [(f"{LIST}?owner=owner", 302)]
    assert messages(response.text) == ["8 items restored."]


def test_undo_of_all_matching_covers_all_batches(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("items.admin.bulk.BATCH_SIZE", 2)
    items = [make_item(owner, status=Status.FAILED) for _ in range(5)]
    page = reviewer.post(LIST, choose(Action.DISCARD, items[0], all_matching=True, confirmed=True), follow=True)
    url, fields = undo_button(page.text)

    reviewer.post(url, fields)

    assert statuses(items) == [Status.FAILED] * 5


def test_message_does_not_grow_with_the_items(reviewer: Client, owner: User) -> None:
    few, many = ([make_item(owner, status=Status.FAILED) for _ in range(number)] for number in (2, 90))

    sizes = [len(str(discard_all(reviewer, *items))) for items in (few, many)]

    assert sizes[1] - sizes[0] < 10


def test_items_changed_since_then_are_left_alone(reviewer: Client, owner: User) -> None:
    purged, again, restored = (make_item(owner, status=Status.FAILED) for _ in range(3))
    url, fields = discard_all(reviewer, purged, again, restored)
    for item in (again, restored):
        item.restore()
    again.discard()
    purged.delete()

    response = reviewer.post(url, fields, follow=True)

    assert statuses([again, restored]) == [Status.DISCARDED, Status.FAILED]
    assert messages(response.text) == ["0 items restored."]


def test_undo_of_another_reviewer_restores_nothing(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    url, fields = discard_all(reviewer, item)

    staff_client("another", *EVERY_VERB).post(url, fields)
    refused = staff_client("viewer", "view_item").post(url, fields)

    assert refused.status_code == 403
    assert statuses([item]) == [Status.DISCARDED]


def test_undo_can_be_continued_after_the_time_limit(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("items.admin.bulk.BATCH_SIZE", 2)
    items = [make_item(owner, status=Status.FAILED) for _ in range(5)]
    url, fields = discard_all(reviewer, *items)
    monkeypatch.setattr("items.admin.bulk.TIME_LIMIT_SECONDS", -1)

    for expected in (2, 4):
        page = reviewer.post(url, fields, follow=True).text
        url, fields = undo_button(page)
        assert statuses(items).count(Status.FAILED) == expected
    reviewer.post(url, fields)

    assert statuses(items) == [Status.FAILED] * 5


@pytest.mark.django_db(transaction=True)
def test_discard_that_hits_a_deadline_can_be_undone(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("items.admin.bulk.BATCH_SIZE", 2)
    reviewer = staff_client("reviewer", *EVERY_VERB)
    items = [make_item(owner, status=Status.FAILED) for _ in range(5)]
    with other_connection(autocommit=False) as other:
        other.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [items[-1].pk])
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 1500")
        page = reviewer.post(LIST, choose(Action.DISCARD, items[0], all_matching=True, confirmed=True), follow=True)
    connection.close()
    discarded = statuses(items).count(Status.DISCARDED)
    reviewer.post(*undo_button(page.text))

    assert discarded == 4
    assert messages(page.text)[-1].startswith("Stopped at the time limit, with 1 item remaining.")
    assert statuses(items) == [Status.FAILED] * 5


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 5000, "\u0663", "1 OR 1=1"])
@pytest.mark.parametrize("request_id", ["", "\x00", "x" * 5000])
def test_made_up_undo_restores_nothing(reviewer: Client, owner: User, since: str, request_id: str) -> None:
    item = make_item(owner, status=Status.FAILED)
    discard_all(reviewer, item)

    response = reviewer.post(UNDO, {"since": since, "request_id": request_id}, follow=True)

    assert messages(response.text) == ["0 items restored."]
    assert statuses([item]) == [Status.DISCARDED]


def test_undo_needs_a_post(reviewer: Client) -> None:
    assert reviewer.get(UNDO).status_code == 405


def test_undo_is_recorded(reviewer: Client, owner: User) -> None:
    items = [make_item(owner, status=Status.FAILED) for _ in range(2)]
    url, fields = discard_all(reviewer, *items)

    reviewer.post(url, fields)

    events = AuditEvent.objects.filter(action="restore", actor_name="reviewer", via="admin")
    assert set(events.values_list("object_id", flat=True)) == {str(item.pk) for item in items}

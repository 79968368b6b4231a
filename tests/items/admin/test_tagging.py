"""Tags added to and removed from the selected items."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from items.models import AuditEvent, Item
from items.states import Status
from items.texts import TAGS_MAX_COUNT
from tests.items.admin.pages import LIST, messages
from tests.items.admin.staff import staff_client
from tests.items.factories import make_item
from tests.items.other_connection import other_connection

STOPPED = "Stopped at the time limit, with {} remaining. Run the action again to continue."


def submit(client: Client, *items: Item, query: str = "", **fields: str) -> list[str]:
    """Submit the question, and return the messages."""
    form = {"action": "edit_tags_of_selected", "_selected_action": [item.pk for item in items], "confirmed": "yes"}
    response = client.post(f"{LIST}{query}", {**form, **fields}, follow=True)
    assert response.redirect_chain, "the form was refused"
    return messages(response.text)


def tags_of(item: Item) -> list[str]:
    item.refresh_from_db()
    return item.tags


def test_tags_are_asked_for_first(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, tags=["old"])

    form = {"action": "edit_tags_of_selected", "_selected_action": [item.pk]}
    page = reviewer.post(LIST, form).text

    assert "Edit the tags of 1 item" in page
    assert f'value="{item.pk}"' in page
    assert tags_of(item) == ["old"]


def test_tags_are_added_and_removed_in_any_spelling(reviewer: Client, owner: User) -> None:
    first = make_item(owner, status=Status.ARCHIVED, tags=["straße", "kept"])
    second = make_item(owner, status=Status.READY_TO_CONFIRM, tags=["other", "new tag"])

    said = submit(reviewer, first, second, add=" New  TAG ", remove="STRASSE")

    assert said == ["Tags of 1 item changed."]
    assert (tags_of(first), tags_of(second)) == (["kept", "new tag"], ["other", "new tag"])
    assert [(event.action, event.object_id) for event in AuditEvent.objects.filter(action="edit")] == [
        ("edit", str(first.pk))
    ]
    assert set(Item.objects.tagged("NEW TAG")) == {first, second}


def test_items_that_cannot_change_are_reported(reviewer: Client, owner: User) -> None:
    full = make_item(owner, status=Status.ARCHIVED, tags=[f"tag {n}" for n in range(TAGS_MAX_COUNT)])
    failed = make_item(owner, status=Status.FAILED)

    said = submit(reviewer, full, failed, add="one more")

    assert [message.partition(":")[0] for message in said] == [
        "Tags of 0 items changed.",
        "1 item refused",
        "1 item refused",
    ]
    assert len(tags_of(full)) == TAGS_MAX_COUNT


def test_draft_keeps_its_last_tag(reviewer: Client, owner: User) -> None:
    ready = make_item(owner, status=Status.READY_TO_CONFIRM, tags=["only"])
    archived = make_item(owner, status=Status.ARCHIVED, tags=["only"])

    said = submit(reviewer, ready, archived, remove="only")

    assert said[0] == "Tags of 1 item changed."
    assert (tags_of(ready), tags_of(archived)) == (["only"], [])


def test_all_items_that_match_are_changed(reviewer: Client, owner: User, stranger: User) -> None:
    mine = [make_item(owner, status=Status.ARCHIVED, tags=[]) for _ in range(3)]
    other = make_item(stranger, status=Status.ARCHIVED, tags=[])

    submit(reviewer, mine[0], query="?owner=owner", add="mine", select_across="1")

    assert [tags_of(item) for item in (*mine, other)] == [["mine"]] * 3 + [[]]


def test_time_limit_is_reported_with_what_remains(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("items.admin.bulk.BATCH_SIZE", 2)
    monkeypatch.setattr("items.admin.bulk.TIME_LIMIT_SECONDS", -1)
    items = [make_item(owner, status=Status.ARCHIVED, tags=[]) for _ in range(5)]

    said = [submit(reviewer, items[0], add="new", select_across="1") for _ in range(3)]

    assert said == [
        ["Tags of 2 items changed.", STOPPED.format("3 items")],
        ["Tags of 2 items changed.", STOPPED.format("1 item")],
        ["Tags of 1 item changed."],
    ]
    assert [tags_of(item) for item in items] == [["new"]] * 5


@pytest.mark.django_db(transaction=True)
def test_deadline_of_the_database_is_reported_like_the_limit(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("items.admin.bulk.BATCH_SIZE", 2)
    reviewer = staff_client("reviewer", "view_item", "change_item")
    items = [make_item(owner, status=Status.ARCHIVED, tags=[]) for _ in range(5)]
    with other_connection(autocommit=False) as other:
        other.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [items[-1].pk])
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 1500")
        said = submit(reviewer, *items, add="new")
    connection.close()

    assert said == ["Tags of 4 items changed.", STOPPED.format("1 item")]
    assert [tags_of(item) for item in items] == [["new"]] * 4 + [[]]


def test_items_that_were_deleted_are_reported(reviewer: Client, owner: User) -> None:
    kept, gone = (make_item(owner, status=Status.ARCHIVED, tags=[]) for _ in range(2))
    Item.objects.filter(pk=gone.pk).delete()

    said = submit(reviewer, kept, gone, add="new")

    assert said == ["Tags of 1 item changed.", "1 item not found: deleted together with the owner."]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Enter a tag to add or to remove."),
        ({"add": "a" * 51}, "May have at most 50 characters"),
        ({"add": "same", "remove": "SAME"}, "The same tag cannot be added and removed."),
    ],
)
def test_refused_tags_are_explained(reviewer: Client, owner: User, fields: dict[str, str], reason: str) -> None:
    item = make_item(owner, status=Status.ARCHIVED, tags=["old"])
    form = {"action": "edit_tags_of_selected", "_selected_action": [item.pk], "confirmed": "yes"}

    page = reviewer.post(LIST, {**form, **fields}).text

    assert reason.casefold() in page.casefold()
    assert tags_of(item) == ["old"]


def test_tags_need_the_permission_to_edit(viewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, tags=["old"])

    viewer.post(
        LIST, {"action": "edit_tags_of_selected", "_selected_action": [item.pk], "confirmed": "yes", "add": "x"}
    )

    assert tags_of(item) == ["old"]

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.models import Item
from items.states import Action, Status
from tests.items.admin.pages import LIST, messages
from tests.items.factories import after, make_item

NAMES = {
    Action.RETRY: "retry_selected",
    Action.CONFIRM: "confirm_selected",
    Action.REDRAFT: "redraft_selected",
    Action.RESTORE: "restore_selected",
    Action.DISCARD: "discard_selected",
}


def choose(action: Action, *items: Item, all_matching: bool = False, confirmed: bool = False) -> dict[str, object]:
    """Submit an action on selected items as a browser does."""
    form: dict[str, object] = {
        "action": NAMES[action],
        "index": "0",
        "select_across": "1" if all_matching else "0",
        "_selected_action": [str(item.pk) for item in items],
    }
    return form | ({"confirmed": "yes"} if confirmed else {})


@pytest.mark.parametrize("action", NAMES)
def test_action_changes_allowed_items_and_refuses_the_others(reviewer: Client, owner: User, action: Action) -> None:
    items = {status: make_item(owner, status=status) for status in Status}

    response = reviewer.post(LIST, choose(action, *items.values(), confirmed=True), follow=True)

    expected = {status: after(item, action) or status for status, item in items.items()}
    assert {status: Item.objects.get(pk=item.pk).status for status, item in items.items()} == expected
    movable = sum(action in item.allowed_actions for item in items.values())
    done, refused = messages(response.text)
    assert done.startswith(f"{movable} item")
    assert refused.startswith(f"{len(Status) - movable} item")


def test_action_on_all_matching_covers_all_pages_of_the_filter(reviewer: Client, owner: User, stranger: User) -> None:
    items = [make_item(owner, status=Status.FAILED) for _ in range(60)]
    other_code = make_item(owner, status=Status.FAILED, enrichment_error="LLM_API_ERROR: Why.")
    other_owner = make_item(stranger, status=Status.FAILED)

    response = reviewer.post(
        f"{LIST}?error_code=LLM_TIMEOUT&owner=owner",
        choose(Action.RETRY, items[0], all_matching=True, confirmed=True),
        follow=True,
    )

    assert messages(response.text) == ["60 items sent back to enrichment."]
    assert set(Item.objects.filter(status=Status.FAILED)) == {other_code, other_owner}


def test_action_on_all_found_by_search_stays_within_the_search(reviewer: Client, owner: User, stranger: User) -> None:
    wanted = make_item(stranger, status=Status.READY_TO_CONFIRM)
    make_item(owner, status=Status.READY_TO_CONFIRM)

    reviewer.post(f"{LIST}?q=stran", choose(Action.CONFIRM, wanted, all_matching=True, confirmed=True))

    assert list(Item.objects.filter(status=Status.ARCHIVED)) == [wanted]


@pytest.mark.parametrize("action", [Action.DISCARD, Action.REDRAFT])
def test_question_names_a_bounded_number_of_items(reviewer: Client, owner: User, action: Action) -> None:
    untitled = make_item(owner)
    items = [make_item(owner, status=Status.READY_TO_CONFIRM, title=f"<b>Title {n}") for n in range(23)]

    page = reviewer.post(LIST, choose(action, *items, untitled))

    named = [f"Title {n}" for n in range(23) if f"<bdi>“&lt;b&gt;Title {n}”</bdi>" in page.text]
    assert len(named) == 20
    assert f"<li>and {4 if action == Action.DISCARD else 3} more</li>" in page.text


@pytest.mark.parametrize("all_matching", [False, True])
def test_discard_needs_confirmation(reviewer: Client, owner: User, *, all_matching: bool) -> None:
    items = [make_item(owner, status=Status.FAILED) for _ in range(3)]
    address = f"{LIST}?status=FAILED"

    page = reviewer.post(address, choose(Action.DISCARD, *items[:2], all_matching=all_matching))
    untouched = Item.objects.filter(status=Status.FAILED).count()
    response = reviewer.post(address, dict_of(page.context["hidden_fields"]), follow=True)

    discarded = 3 if all_matching else 2
    assert f"Discard {discarded} items?" in page.text
    assert untouched == 3
    assert messages(response.text) == [f"{discarded} items discarded."]
    assert Item.objects.filter(status=Status.DISCARDED).count() == discarded


@pytest.mark.parametrize("action", NAMES)
def test_action_on_all_matching_needs_confirmation_of_the_count(reviewer: Client, owner: User, action: Action) -> None:
    items = {status: make_item(owner, status=status) for status in Status}

    page = reviewer.post(LIST, choose(action, items[Status.FAILED], all_matching=True))

    movable = sum(action in item.allowed_actions for item in items.values())
    assert f"<h1>{action.label} {movable} item" in page.text
    assert "all items that match the filter now" in page.text
    assert {status: Item.objects.get(pk=item.pk).status for status, item in items.items()} == {
        status: status for status in Status
    }


def test_retry_of_selected_items_needs_no_confirmation(reviewer: Client, owner: User) -> None:
    items = [make_item(owner, status=Status.FAILED) for _ in range(2)]

    response = reviewer.post(LIST, choose(Action.RETRY, *items), follow=True)

    assert messages(response.text) == ["2 items sent back to enrichment."]


def dict_of(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the hidden fields of the form."""
    return {name: [value for each, value in fields if each == name] for name, _ in fields}


def test_item_that_was_retried_meanwhile_is_refused(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    item.retry()

    response = reviewer.post(LIST, choose(Action.RETRY, item), follow=True)

    assert messages(response.text) == [
        "0 items sent back to enrichment.",
        "1 item refused: only items with the status “Failed” can be sent back to enrichment.",
    ]


def test_selected_item_that_left_the_filter_counts_as_refused(reviewer: Client, owner: User) -> None:
    item, moved = make_item(owner, status=Status.FAILED), make_item(owner, status=Status.FAILED)
    moved.retry()

    response = reviewer.post(f"{LIST}?status=FAILED", choose(Action.RETRY, item, moved), follow=True)

    assert messages(response.text) == [
        "1 item sent back to enrichment.",
        "1 item refused: only items with the status “Failed” can be sent back to enrichment.",
    ]


def test_selected_item_that_was_deleted_is_reported(reviewer: Client, owner: User) -> None:
    item, deleted = make_item(owner, status=Status.FAILED), make_item(owner, status=Status.FAILED)
    Item.objects.filter(pk=deleted.pk).delete()

    response = reviewer.post(LIST, choose(Action.RETRY, item, deleted), follow=True)

    assert messages(response.text) == [
        "1 item sent back to enrichment.",
        "1 item not found: deleted together with the owner.",
    ]


@pytest.mark.parametrize("bad", ["", "x", "0", "\x00", "1' OR '1'='1"])
def test_invalid_id_in_an_action_changes_nothing(reviewer: Client, owner: User, bad: str) -> None:
    item = make_item(owner, status=Status.FAILED)
    form = choose(Action.RETRY, item) | {"_selected_action": [str(item.pk), bad]}

    response = reviewer.post(LIST, form, follow=True)

    assert response.status_code == 200
    assert messages(response.text) == ["The selection is malformed. Nothing was changed."]
    assert Item.objects.get(pk=item.pk).status == Status.FAILED


@pytest.mark.parametrize("action", NAMES)
def test_viewer_cannot_see_or_submit_actions(viewer: Client, owner: User, action: Action) -> None:
    items = [make_item(owner, status=status) for status in Status]

    page = viewer.get(LIST)
    viewer.post(LIST, choose(action, *items, confirmed=True))

    assert NAMES[action] not in page.text
    assert [Item.objects.get(pk=item.pk).status for item in items] == list(Status)

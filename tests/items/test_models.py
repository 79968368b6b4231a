import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from items.models import Item
from items.states import (
    PENDING_STATUSES,
    Action,
    EnrichmentMode,
    InvalidTransition,
    SourceType,
    Status,
    allowed_actions,
)
from items.texts import first_line
from tests.items.factories import RAW_TEXT, after, make_item
from tests.items.other_connection import other_connection

VERBS: dict[Action, Callable[[Item], None]] = {
    Action.EDIT: lambda item: item.edit(title="Edited"),
    Action.CONFIRM: Item.confirm,
    Action.RETRY: Item.retry,
    Action.REDRAFT: Item.redraft,
    Action.RESTORE: Item.restore,
    Action.DISCARD: Item.discard,
}
MANY = [action for action in Action if action != Action.EDIT]
DEADLINE_SECONDS = 60


def stored(item: Item) -> Item:
    row: Item = Item.objects.get(pk=item.pk)
    return row


# Actions on one item


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
def test_action_changes_the_status_or_is_refused(owner: User, status: Status, action: Action) -> None:
    item = make_item(owner, status=status)
    target = after(item, action)

    if target is None:
        with pytest.raises(InvalidTransition) as refusal:
            VERBS[action](item)
        assert (refusal.value.status, refusal.value.action) == (status, action)
        assert stored(item).updated_at == item.updated_at
    else:
        VERBS[action](item)

    assert item.status == stored(item).status == (target or status)


@pytest.mark.parametrize("action", Action)
def test_action_checks_the_current_row(owner: User, action: Action) -> None:
    item, row = (make_item(owner, status=status) for status in (allowing(action), refusing(action)))
    item.pk = row.pk

    with pytest.raises(InvalidTransition):
        VERBS[action](item)

    assert item.status == stored(item).status == row.status


def allowing(action: Action) -> Status:
    return next(status for status in reversed(Status) if action in allowed_actions(status))


def refusing(action: Action) -> Status:
    return next(status for status in Status if action not in allowed_actions(status))


def test_edit_does_not_overwrite_other_columns(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    Item.objects.filter(pk=item.pk).update(summary="Changed meanwhile.")

    item.edit(title="Edited")

    assert (stored(item).title, stored(item).summary) == ("Edited", "Changed meanwhile.")
    assert item.summary == "Changed meanwhile."


def test_confirm_stores_last_edits(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    item.confirm(title="Edited", tags=["one"])

    assert (stored(item).title, stored(item).tags) == ("Edited", ["one"])
    assert stored(item).confirmed_at is not None


def test_edit_is_not_performed_without_its_changes(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    with pytest.raises(ValueError, match="changes"):
        item.perform(Action.EDIT)
    with pytest.raises(AttributeError):
        Item.objects.all().perform(Action.EDIT)

    assert (stored(item).status, stored(item).updated_at) == (Status.READY_TO_CONFIRM, item.updated_at)


def test_action_sets_updated_at(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    before = item.updated_at

    item.edit(title="Edited")

    assert stored(item).updated_at == item.updated_at > before


def test_action_on_a_deleted_item_raises(owner: User) -> None:
    item = make_item(owner)
    Item.objects.all().delete()

    with pytest.raises(Item.DoesNotExist):
        item.discard()


@pytest.mark.django_db(transaction=True)
def test_action_waits_for_the_lock_and_sees_the_change(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    outcome: list[object] = []

    def confirm() -> None:
        try:
            item.confirm()
        except InvalidTransition as refusal:
            outcome.append(refusal.status)
        finally:
            connection.close()

    with other_connection(autocommit=False) as other:
        other.execute("UPDATE items SET status = 'DISCARDED' WHERE id = %s", (item.pk,))
        reviewer = threading.Thread(target=confirm)
        reviewer.start()
        wait_until_blocked_by(other.info.backend_pid)
        other.commit()
    reviewer.join(DEADLINE_SECONDS)

    assert outcome == [Status.DISCARDED]
    assert stored(item).status == Status.DISCARDED


def wait_until_blocked_by(backend_pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", (backend_pid,)
            )
            if cursor.fetchone()[0]:
                return
    pytest.fail("Nothing waits for the row.")


# Actions on many items


@pytest.mark.parametrize("action", MANY)
def test_queryset_action_changes_and_counts_allowed_items(owner: User, action: Action) -> None:
    items = [make_item(owner, status=status) for status in Status]
    items += [make_item(owner, status=status, enrichment_mode=EnrichmentMode.MANUAL) for status in Status]
    expected = {item.pk: after(item, action) for item in items}

    count = getattr(Item.objects.all(), action)()

    assert count == sum(status is not None for status in expected.values())
    assert {item.pk: stored(item).status for item in items} == {
        item.pk: expected[item.pk] or item.status for item in items
    }


@pytest.mark.parametrize("action", MANY)
def test_queryset_action_changes_only_its_items(owner: User, stranger: User, action: Action) -> None:
    for user in (owner, stranger):
        for status in Status:
            make_item(user, status=status)

    getattr(Item.objects.owned_by(owner), action)()

    assert sorted(stranger.items.values_list("status", flat=True)) == sorted(Status.values)


def test_queryset_confirm_sets_confirmed_at(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    Item.objects.all().confirm()

    assert stored(item).confirmed_at == stored(item).updated_at > item.updated_at


def test_queryset_filters_select_their_items(owner: User, stranger: User) -> None:
    items = {status: make_item(owner, status=status) for status in Status}
    other_code = make_item(stranger, status=Status.FAILED, enrichment_error="LLM_API_ERROR: Why.")

    assert set(Item.objects.owned_by(stranger)) == {other_code}
    assert set(Item.objects.pending()) == {items[status] for status in PENDING_STATUSES} | {other_code}
    assert set(Item.objects.owned_by(owner).not_discarded()) == set(items.values()) - {items[Status.DISCARDED]}
    assert set(Item.objects.failed()) == {items[Status.FAILED], other_code}
    assert set(Item.objects.failed(error_code="LLM_API_ERROR")) == {other_code}
    assert set(Item.objects.failed(error_code="LLM_API")) == set()
    assert Item.objects.newest_first().first() == other_code


# Capture without enrichment


def test_capture_without_enrichment_archives_the_item(owner: User) -> None:
    item = Item.objects.capture(owner=owner, raw_text=f"\n  {RAW_TEXT}\nMore.", enrich=False)

    assert stored(item).status == Status.ARCHIVED
    assert stored(item).raw_text == f"\n  {RAW_TEXT}\nMore."
    assert (item.enrichment_mode, item.source_type) == (EnrichmentMode.MANUAL, SourceType.NOTE)
    assert item.title == first_line(RAW_TEXT)


def test_times_of_an_item_are_the_databases(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server whose clock is wrong must not hide a change from live events, which look for it by its time."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()

    captured = Item.objects.capture(owner=owner, raw_text="some text")
    archived = Item.objects.capture(owner=owner, raw_text="some text", enrich=False)
    (many,) = Item.objects.capture_many(owner=owner, raw_texts=["some text"])
    archived.edit(title="Another title")
    ready = [make_item(owner, status=Status.READY_TO_CONFIRM) for _ in range(2)]
    ready[0].confirm()
    Item.objects.filter(pk=ready[1].pk).confirm()
    failed = [make_item(owner, status=Status.FAILED) for _ in range(3)]
    failed[0].retry()
    Item.objects.filter(pk=failed[1].pk).retry()
    Item.objects.filter(pk=failed[2].pk).discard()

    for item in (captured, archived, many, *ready, *failed):
        stored = Item.objects.get(pk=item.pk)
        assert stored.updated_at >= before
        assert stored.confirmed_at is None or stored.confirmed_at >= before
    assert captured.created_at == captured.updated_at >= before
    assert archived.confirmed_at is not None

"""Discards that are undone, and drafts that are made again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from items import deletion
from items.claims import Claim, Verdict
from items.models import Item
from items.states import EnrichmentMode, InvalidTransition, Outcome, Status
from tests.items.factories import RESULT, TIMEOUT, make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim, finish, outcomes, release, success

pytestmark = pytest.mark.django_db(transaction=True)

UNDISCARDED = [status for status in Status if status != Status.DISCARDED]
OLD = {"title": RESULT["title"], "summary": RESULT["summary"], "tags": RESULT["tags"]}
NEW = {"title": "A title", "summary": "A summary.", "tags": ["a", "b", "c"]}


def draft_of(item: Item) -> dict[str, object]:
    item.refresh_from_db()
    return {name: getattr(item, name) for name in OLD}


def failure(claimed: Claim) -> Verdict:
    now = timezone.now()
    return Verdict(
        claim=claimed,
        outcome=Outcome.FAILED,
        status=Status.FAILED,
        started_at=now,
        finished_at=now,
        error_code="LLM_TIMEOUT",
        enrichment_error=TIMEOUT,
    )


def redrafted(owner: User, status: Status = Status.READY_TO_CONFIRM) -> Item:
    item = make_item(owner, status=status, enrichment_mode=EnrichmentMode.MANUAL)
    item.redraft()
    return item


# Restore


@pytest.mark.parametrize("status", UNDISCARDED)
def test_restored_item_is_as_it_was(owner: User, status: Status) -> None:
    item = make_item(owner, status=status)
    columns = ("status", "title", "summary", "tags", "enrichment_error", "confirmed_at", "former_draft")
    before = [getattr(item, name) for name in columns]
    item.discard()

    item.restore()

    assert [getattr(item, name) for name in columns] == before
    assert item.discarded_from is None


def test_restored_item_is_enriched_from_the_first_attempt(owner: User) -> None:
    item = make_item(owner, attempt_count=2, refund_count=3, available_at=timezone.now() + timedelta(hours=1))
    item.discard()

    item.restore()

    (claimed,) = claim()
    assert (claimed.item_id, claimed.attempt, claimed.refunds) == (item.pk, 1, 0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"enrichment_error": TIMEOUT}, Status.FAILED),
        ({**RESULT, "confirmed_at": timezone.now()}, Status.ARCHIVED),
        (RESULT, Status.READY_TO_CONFIRM),
        ({**RESULT, "tags": []}, Status.ENRICHING),
        ({**RESULT, "title": None}, Status.ENRICHING),
        ({"title": None, "summary": None, "tags": [], "source_type": None}, Status.ENRICHING),
    ],
)
def test_status_of_before_is_inferred_if_it_is_unknown(
    owner: User, fields: dict[str, object], expected: Status
) -> None:
    one, many = (make_item(owner, status=Status.DISCARDED, **fields) for _ in range(2))

    one.restore()
    Item.objects.filter(pk=many.pk).restore()

    many.refresh_from_db()
    assert one.status == many.status == expected


@pytest.mark.parametrize("verdict", [success, release])
def test_verdict_of_a_cancelled_call_is_late_after_a_restore(owner: User, verdict: Callable[[Claim], Verdict]) -> None:
    item = make_item(owner)
    (cancelled,) = claim()
    item.discard()
    item.restore()
    (current,) = claim()

    late = finish([verdict(cancelled)]).late
    finish([success(current, title="The current title")])

    item.refresh_from_db()
    assert [each.claim for each in late] == [cancelled]
    assert (item.status, item.title) == (Status.READY_TO_CONFIRM, "The current title")
    assert len(outcomes(item)) == 2


def test_restore_wakes_the_workers_only_for_items_to_enrich(owner: User) -> None:
    enriching, ready = make_item(owner), make_item(owner, status=Status.READY_TO_CONFIRM)
    Item.objects.all().discard()

    with other_connection() as ear:
        ear.execute("LISTEN items_enriching")
        ear.execute("LISTEN last")
        for item in (ready, enriching):
            item.restore()
            connection.cursor().execute("NOTIFY last")
        heard = [notification.channel for notification in ear.notifies(timeout=60, stop_after=3)]

    assert heard == ["last", "items_enriching", "last"]


@pytest.mark.parametrize("is_first", [True, False], ids=["restore first", "purge first"])
def test_purge_and_restore_do_not_wait_or_fail(owner: User, *, is_first: bool) -> None:
    item = make_item(owner, status=Status.DISCARDED)
    Item.objects.update(created_at="2001-01-01T00:00:00Z", updated_at="2001-01-01T00:00:00Z")

    if is_first:
        with other_connection(autocommit=False) as other:
            other.execute("UPDATE items SET status = 'READY_TO_CONFIRM', updated_at = now() WHERE id = %s", [item.pk])
            deleted = sum(each.items for each in deletion.delete_discarded(before=timezone.now()))
            other.commit()
        assert deleted == 0
        deleted = sum(each.items for each in deletion.delete_discarded(before=timezone.now()))
        assert (deleted, Item.objects.get().status) == (0, Status.READY_TO_CONFIRM)
    else:
        assert sum(each.items for each in deletion.delete_discarded(before=timezone.now())) == 1
        with pytest.raises(Item.DoesNotExist):
            item.restore()


# Redraft


@pytest.mark.parametrize("status", [Status.READY_TO_CONFIRM, Status.ARCHIVED])
def test_old_draft_stays_until_the_new_one_replaces_it(owner: User, status: Status) -> None:
    item = redrafted(owner, status)
    assert (item.status, draft_of(item)) == (Status.ENRICHING, OLD)
    (claimed,) = claim()

    finish([success(claimed)])

    assert draft_of(item) == NEW
    assert item.former_draft == {**OLD, "sourceType": "NOTE"}
    assert (item.status, item.enrichment_mode) == (Status.READY_TO_CONFIRM, EnrichmentMode.AI)
    assert (item.confirmed_at, item.redrafted_from) == (None, None)


def test_first_draft_replaces_none(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()

    finish([success(claimed)])

    item.refresh_from_db()
    assert item.former_draft is None


def test_only_the_last_draft_is_kept(owner: User) -> None:
    item = redrafted(owner)
    for title in ("Second", "Third"):
        (claimed,) = claim()
        finish([success(claimed, title=title)])
        item.refresh_from_db()
        item.redraft()

    assert item.former_draft is not None
    assert (item.title, item.former_draft["title"]) == ("Third", "Second")


@pytest.mark.parametrize("status", [Status.READY_TO_CONFIRM, Status.ARCHIVED])
@pytest.mark.parametrize("is_discarded", [False, True])
def test_failed_redraft_keeps_the_draft_and_can_be_restored(owner: User, status: Status, *, is_discarded: bool) -> None:
    item = redrafted(owner, status)
    finish([failure(claim()[0])])
    assert (draft_of(item), item.status) == (OLD, Status.FAILED)
    if is_discarded:
        item.discard()
        item.restore()

    item.restore()

    assert draft_of(item) == OLD
    assert (item.status, item.enrichment_error, item.redrafted_from) == (status, None, None)
    assert item.enrichment_mode == EnrichmentMode.MANUAL


def test_failed_redraft_can_be_retried(owner: User) -> None:
    item = redrafted(owner)
    finish([failure(claim()[0])])
    item.refresh_from_db()
    item.retry()

    finish([success(claim()[0])])

    assert draft_of(item) == NEW
    assert item.former_draft == {**OLD, "sourceType": "NOTE"}


def test_failed_first_draft_cannot_be_restored(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    with pytest.raises(InvalidTransition):
        item.restore()

    assert Item.objects.all().restore() == 0


def test_draft_that_is_written_again_after_a_redraft_is_late(owner: User) -> None:
    item = make_item(owner)
    (first,) = claim()
    finish([success(first)])
    item.refresh_from_db()
    item.edit(title="Edited")
    item.redraft()

    late = finish([success(first, title="Written again")]).late

    assert len(late) == 1
    assert (draft_of(item)["title"], item.status) == ("Edited", Status.ENRICHING)


def test_edits_are_kept_as_the_former_draft(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    item.edit(title="Edited", tags=["mine"])
    item.redraft()

    finish([success(claim()[0])])

    item.refresh_from_db()
    assert item.former_draft == {"title": "Edited", "summary": OLD["summary"], "tags": ["mine"], "sourceType": "NOTE"}


def test_archived_item_without_a_title_can_be_redrafted(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title=None, enrichment_mode=EnrichmentMode.MANUAL)
    item.redraft()

    finish([success(claim()[0])])

    item.refresh_from_db()
    assert item.status == Status.READY_TO_CONFIRM
    assert item.former_draft is not None
    assert item.former_draft["title"] is None


def test_redraft_and_confirm_at_once_do_one_thing(owner: User) -> None:
    """Whichever comes first, the other is refused: a confirmed draft is never replaced."""
    items = [make_item(owner, status=Status.READY_TO_CONFIRM) for _ in range(20)]

    def act(name: str, order: Iterator[Item]) -> None:
        try:
            for item in order:
                with suppress(InvalidTransition):
                    getattr(Item.objects.get(pk=item.pk), name)()
                    done.append(item.pk)
        finally:
            connection.close()

    done: list[object] = []
    threads = [
        threading.Thread(target=act, args=("confirm", iter(items))),
        threading.Thread(target=act, args=("redraft", reversed(items))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, done)) == sorted(str(item.pk) for item in items)
    assert set(Item.objects.values_list("status", flat=True)) <= {Status.ARCHIVED, Status.ENRICHING}

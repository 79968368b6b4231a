"""Actions on many items: in batches, scheduled over time, and within a time limit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin import bulk, queries
from items.admin.bulk import BulkResult, change_matching, change_selected
from items.admin.labels import Count, hours_and_minutes
from items.admin.queries import bounded_count
from items.models import Item
from items.states import Action, Status
from tests.items.factories import after, make_item
from tests.items.other_connection import and_disconnect, other_connection, until_somebody_waits
from tests.items.queue.protocol import claim

MINUTE = timedelta(minutes=1)
VERBS = [action for action in Action if action != Action.EDIT]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH_SIZE", 3)


def failed(owner: User, count: int) -> list[Item]:
    """Create items with creation times a minute apart."""
    start = timezone.now() - timedelta(days=1)
    return [make_item(owner, status=Status.FAILED, created_at=start + number * MINUTE) for number in range(count)]


def minutes_until_due() -> dict[object, int]:
    items = Item.objects.filter(status=Status.ENRICHING).annotate(wait=F("available_at") - Now())
    return {item.pk: round(item.wait / MINUTE) for item in items}


@pytest.mark.parametrize("action", VERBS)
def test_all_allowed_items_are_changed_and_the_others_counted(owner: User, action: Action) -> None:
    items = {status: [make_item(owner, status=status) for _ in range(4)] for status in Status}

    result = change_matching(Item.objects.all(), action)

    allowing = [status for status, (item, *_) in items.items() if action in item.allowed_actions]
    assert result.changed == 4 * len(allowing)
    assert result.refused == Count(4 * (len(Status) - len(allowing)))
    for status, each in items.items():
        now = set(Item.objects.filter(pk__in=[item.pk for item in each]).values_list("status", flat=True))
        assert now == {after(each[0], action) or status}


def test_items_with_the_same_creation_time_are_all_changed(owner: User) -> None:
    moment = timezone.now()
    for _ in range(10):
        make_item(owner, status=Status.FAILED, created_at=moment)

    assert change_matching(Item.objects.failed(), Action.RETRY).changed == 10


def test_retries_become_due_batch_by_batch_and_the_oldest_first(owner: User) -> None:
    items = failed(owner, 7)

    result = change_matching(Item.objects.failed(), Action.RETRY)

    due = minutes_until_due()
    assert [due[item.pk] for item in items] == [0, 0, 0, 1, 1, 1, 2]
    assert result == BulkResult(changed=7, minutes=2)


def test_redrafts_become_due_batch_by_batch(owner: User) -> None:
    for _ in range(4):
        make_item(owner, status=Status.READY_TO_CONFIRM)

    result = change_matching(Item.objects.all(), Action.REDRAFT)

    assert sorted(minutes_until_due().values()) == [0, 0, 0, 1]
    assert result == BulkResult(changed=4, minutes=1)


def test_second_bulk_retry_queues_up_behind_the_first(owner: User, stranger: User) -> None:
    failed(owner, 6)
    change_matching(Item.objects.failed(), Action.RETRY)
    later = failed(stranger, 6)

    change_matching(Item.objects.failed(), Action.RETRY)

    due = minutes_until_due()
    assert [due[item.pk] for item in later] == [0, 0, 0, 2, 2, 2]


def test_item_scheduled_far_ahead_does_not_delay_retries(owner: User) -> None:
    make_item(owner, available_at=timezone.now() + timedelta(days=900))
    items = failed(owner, 4)

    change_matching(Item.objects.failed(), Action.RETRY)

    assert minutes_until_due()[items[-1].pk] == 1


@pytest.mark.django_db(transaction=True)
def test_new_capture_is_due_before_the_later_batches(owner: User) -> None:
    failed(owner, 9)
    change_matching(Item.objects.failed(), Action.RETRY)
    fresh = make_item(owner)

    claims = claim(20, worker="worker-1")

    assert len(claims) == 4
    assert fresh.pk in {claim.item_id for claim in claims}


@pytest.mark.parametrize("action", [Action.CONFIRM, Action.DISCARD])
def test_other_actions_are_not_scheduled(owner: User, action: Action) -> None:
    for _ in range(5):
        make_item(owner, status=Status.READY_TO_CONFIRM)

    result = change_matching(Item.objects.all(), action)

    assert (result.changed, result.minutes) == (5, 0)


def test_item_that_fails_again_is_retried_only_once(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(owner, 7)
    move = bulk._change

    def move_and_fail(items: object, action: Action, *, after: timedelta) -> int:
        moved = move(items, action, after=after)  # type: ignore[arg-type]  # as it is given
        Item.objects.filter(status=Status.ENRICHING).update(status=Status.FAILED, enrichment_error="LLM_TIMEOUT: Why.")
        return moved

    monkeypatch.setattr(bulk, "_change", move_and_fail)

    assert change_matching(Item.objects.failed(), Action.RETRY).changed == 7


def test_remaining_items_are_counted_at_the_time_limit(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(owner, 8)
    clock = ticking(seconds=6)
    monkeypatch.setattr(bulk, "monotonic", lambda: next(clock))

    result = change_matching(Item.objects.failed(), Action.RETRY)

    assert (result.changed, result.remaining) == (6, Count(2))
    assert Item.objects.failed().count() == 2


def ticking(*, seconds: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += seconds


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_between_batches(owner: User) -> None:
    failed(owner, 7)

    with CaptureQueriesContext(connection) as captured:
        change_matching(Item.objects.failed(), Action.RETRY)

    said = [query["sql"].split()[0] for query in captured.captured_queries]
    changes = [word for word in said if word in {"BEGIN", "UPDATE", "COMMIT"}]
    assert changes == ["BEGIN", "UPDATE", "COMMIT"] * 3


@pytest.mark.django_db(transaction=True)
def test_items_are_locked_in_the_order_of_the_queue(owner: User) -> None:
    """While the action waits for the lock of the first item, it must not hold that of the second."""
    second, first = (make_item(owner, pk=UUID(int=number)).pk for number in (2, 1))
    with ThreadPoolExecutor() as pool, other_connection(autocommit=False) as queue_side:
        queue_side.execute("SELECT 1 FROM items WHERE id = %s FOR NO KEY UPDATE", [first])
        moving = pool.submit(and_disconnect, partial(change_selected, {second, first}, Action.DISCARD))
        until_somebody_waits()

        locked = queue_side.execute("SELECT 1 FROM items WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED", [second])

        assert locked.fetchone()
        queue_side.rollback()
        assert moving.result(timeout=60).changed == 2


@pytest.mark.slow
def test_statistics_are_updated_after_many_changes(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bulk, queries):
        monkeypatch.setattr(module, "COUNT_LIMIT", 50)
    for _ in range(200):
        make_item(owner, status=Status.FAILED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items")
    before = bounded_count(Item.objects.filter(status=Status.ENRICHING))

    change_matching(Item.objects.failed(), Action.RETRY)

    assert before == Count(0)
    after = bounded_count(Item.objects.filter(status=Status.ENRICHING))
    assert not after.is_exact
    assert after.number == pytest.approx(200, rel=0.5), "the planner scales by the pages that the table has now"


def test_refused_and_deleted_selected_items_are_counted(owner: User) -> None:
    ready, discarded, gone = (make_item(owner, status=Status.FAILED) for _ in range(3))
    discarded.discard()
    Item.objects.filter(pk=gone.pk).delete()

    result = change_selected({ready.pk, discarded.pk, gone.pk}, Action.RETRY)

    assert result == BulkResult(changed=1, refused=Count(1), missing=1)


@pytest.mark.parametrize(("minutes", "words"), [(1, "1 min"), (59, "59 min"), (60, "1 h 0 min"), (334, "5 h 34 min")])
def test_duration_of_a_retry_is_in_hours_and_minutes(minutes: int, words: str) -> None:
    assert hours_and_minutes(minutes) == words

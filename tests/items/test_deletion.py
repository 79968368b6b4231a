"""Deletion while workers, owners and reviewers go on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from items import deletion
from items.models import DeletedUsage, EnrichmentAttempt, Item
from items.queue import CHANNEL_CANCELLED
from items.states import Action, Outcome, Status
from tests.items.factories import make_attempt, make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim, finish, success
from tests.waiting import PATIENCE_SECONDS, until

OUR_TABLES = ("items", "enrichment_attempts", "idempotency_keys", "api_tokens", "api_throttles")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def deleted(batches: Any) -> deletion.Deleted:
    items, attempts = zip(*batches, strict=True)
    return deletion.Deleted(sum(items), sum(attempts))


def another_session_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone() == (1,))


def in_another_thread(pool: ThreadPoolExecutor, call: Callable[[], Any]) -> Any:
    def closing() -> Any:
        try:
            return call()
        finally:
            connection.close()

    return pool.submit(closing)


@pytest.mark.django_db
def test_foreign_keys_to_users_and_items_cascade() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confdeltype, convalidated FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY (%s)",
            [list(OUR_TABLES)],
        )
        assert set(cursor.fetchall()) == {(table, "c", True) for table in OUR_TABLES}


def test_items_of_one_owner_are_deleted_in_batches(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    for status in Status:
        make_attempt(make_item(owner, status=status))
    kept = make_attempt(make_item(stranger))

    numbers = deleted(deletion.delete_items_of(owner.pk))

    assert numbers == (len(Status), len(Status))
    assert list(EnrichmentAttempt.objects.all()) == [kept]


def test_waiting_items_are_deleted_first(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 1)
    archived, waiting = (make_item(owner, status=status) for status in (Status.ARCHIVED, Status.ENRICHING))

    next(deletion.delete_items_of(owner.pk))

    assert list(Item.objects.all()) == [archived]
    assert not Item.objects.filter(pk=waiting.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_deletion_of_a_claimed_item_cancels_its_call(owner: User) -> None:
    claimed, _waiting = make_item(owner), make_item(owner)
    assert [held.item_id for held in claim(1)] == [claimed.pk]

    with other_connection() as listening:
        listening.execute(f"LISTEN {CHANNEL_CANCELLED}")
        deleted(deletion.delete_items_of(owner.pk))
        heard = [notification.payload for notification in listening.notifies(timeout=PATIENCE_SECONDS, stop_after=1)]

    assert heard == [str(claimed.pk)]


@pytest.mark.django_db(transaction=True)
def test_verdict_of_a_deleted_item_changes_nothing(owner: User) -> None:
    make_item(owner)
    (held,) = claim(1)
    deleted(deletion.delete_items_of(owner.pk))

    finished = finish([success(held)])

    assert [late.claim for late in finished.late] == [held]
    assert not EnrichmentAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["in batches", "by Django"])
def test_rows_written_meanwhile_do_not_stop_a_deletion(owner: User, way: str) -> None:
    item = make_item(owner)
    held = claim(1)[0]

    def delete() -> None:
        if way == "in batches":
            deleted(deletion.delete_items_of(owner.pk))
        User.objects.filter(pk=owner.pk).delete()

    with ThreadPoolExecutor(1) as pool, other_connection() as worker:
        with worker.transaction():
            worker.execute("SELECT FROM items WHERE id = %s FOR NO KEY UPDATE", [item.pk])
            ending = in_another_thread(pool, delete)
            until(another_session_waits)
            worker.execute(
                "INSERT INTO enrichment_attempts"
                " (item_id, number, fencing_token, worker, started_at, finished_at, outcome)"
                " VALUES (%s, 1, %s, 'worker', now(), now(), 'SUCCEEDED')",
                [item.pk, held.fencing_token],
            )
            worker.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'new')", [owner.pk])
        ending.result()

    assert not User.objects.exists()
    assert not Item.objects.exists()
    assert not EnrichmentAttempt.objects.exists()


MASS_CHANGES: dict[str, tuple[Status, Callable[[User], object]]] = {
    Action.CONFIRM: (Status.READY_TO_CONFIRM, lambda owner: Item.objects.owned_by(owner).confirm()),
    Action.RETRY: (Status.FAILED, lambda owner: Item.objects.owned_by(owner).retry()),
    Action.DISCARD: (Status.ARCHIVED, lambda owner: Item.objects.owned_by(owner).discard()),
    "delete": (Status.ARCHIVED, lambda owner: deleted(deletion.delete_items_of(owner.pk))),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", MASS_CHANGES)
def test_mass_changes_lock_in_the_order_of_the_keys(owner: User, name: str) -> None:
    status, change = MASS_CHANGES[name]
    # The last key is the first in the table.
    last, first = (make_item(owner, status=status, id=UUID(int=number)) for number in (2, 1))

    with ThreadPoolExecutor(1) as pool, other_connection() as reviewer:
        with reviewer.transaction():
            reviewer.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [first.pk])
            ending = in_another_thread(pool, lambda: change(owner))
            until(another_session_waits)
            is_free = reviewer.execute("SELECT id FROM items WHERE id = %s FOR UPDATE SKIP LOCKED", [last.pk])
            assert is_free.fetchone() == (last.pk,), "it holds no lock while it waits for the first"
        ending.result()

    assert not Item.objects.filter(status=status).exists()


def discarded_before(owner: User, days: int) -> Item:
    then = timezone.now() - timedelta(days=days)
    return make_item(owner, status=Status.DISCARDED, created_at=then - timedelta(days=1), updated_at=then)


def test_only_items_discarded_long_ago_are_deleted(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 1)
    for days in (31, 40):
        make_attempt(discarded_before(owner, days))
    now = timezone.now()
    recent = discarded_before(owner, 29)
    old_but_kept = make_item(owner, status=Status.ARCHIVED, created_at=recent.created_at - timedelta(days=90))
    lately = make_item(owner, status=Status.DISCARDED, created_at=now - timedelta(days=90), updated_at=now)
    before = now - timedelta(days=30)

    counted = deletion.count_discarded(before=before)
    numbers = deleted(deletion.delete_discarded(before=before))

    assert (counted, numbers) == (2, (2, 2))
    assert set(Item.objects.all()) == {recent, old_but_kept, lately}


def test_only_old_attempts_of_archived_items_are_deleted(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 1)
    old, now = timezone.now() - timedelta(days=91), timezone.now()
    items = {status: make_item(owner, status=status) for status in Status}
    for item in items.values():
        make_attempt(item, number=1, finished_at=old)
        make_attempt(item, number=2, outcome=Outcome.FAILED, finished_at=old)
        make_attempt(item, number=3, finished_at=now)

    before = now - timedelta(days=90)
    counted = deletion.count_attempts(before=before)
    numbers = deleted(deletion.delete_attempts(before=before))

    assert (counted, numbers) == (2, (0, 2))
    kept = {status: list(item.attempts.values_list("number", flat=True)) for status, item in items.items()}
    assert kept == {status: [3] if status == Status.ARCHIVED else [1, 2, 3] for status in Status}


@pytest.mark.django_db(transaction=True)
def test_locked_rows_are_skipped(owner: User) -> None:
    locked, free = discarded_before(owner, 32), discarded_before(owner, 31)
    archived = make_item(owner, status=Status.ARCHIVED)
    old = timezone.now() - timedelta(days=31)
    attempts = [make_attempt(archived, number=number, finished_at=old) for number in (1, 2)]

    with other_connection(autocommit=False) as session:
        session.execute("SELECT FROM items WHERE id = %s FOR NO KEY UPDATE", [locked.pk])
        session.execute("SELECT FROM enrichment_attempts WHERE id = %s FOR UPDATE", [attempts[0].pk])
        before = timezone.now() - timedelta(days=30)
        numbers = [deleted(delete(before=before)) for delete in (deletion.delete_discarded, deletion.delete_attempts)]

    assert numbers == [(1, 0), (0, 1)]
    assert set(Item.objects.all()) == {locked, archived}
    assert not Item.objects.filter(pk=free.pk).exists()
    assert list(EnrichmentAttempt.objects.all()) == attempts[:1]


def test_usage_of_deleted_attempts_is_kept_by_the_hour(owner: User) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    usages = [(0, 10, Decimal("0.5")), (59, 20, None), (60, 40, None), (60 * 24 * -60, 80, Decimal(1))]
    for text in ("first", "second"):
        item = make_item(owner, raw_text=text)
        for number, (minutes, tokens, cost) in enumerate(usages, start=1):
            finished_at = hour + timedelta(minutes=minutes)
            make_attempt(item, number=number, finished_at=finished_at, prompt_tokens=tokens, cost_usd=cost)
        deleted(deletion.delete_items_of(owner.pk))

    rows = DeletedUsage.objects.order_by("start").values_list("start", "prompt_tokens", "completion_tokens", "cost_usd")
    assert list(rows) == [(hour, 60, None, Decimal(1)), (hour + timedelta(hours=1), 80, None, None)]


def test_usage_that_the_admin_no_longer_shows_is_deleted(db: None) -> None:
    for days in (39, 41):
        DeletedUsage.objects.create(start=timezone.now() - timedelta(days=days), prompt_tokens=1)

    deletion.delete_old_usage()

    assert DeletedUsage.objects.filter(start__gt=timezone.now() - timedelta(days=40)).count() == 1
    assert DeletedUsage.objects.count() == 1

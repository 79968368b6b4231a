"""The notifications of triggers, received on a separate connection."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Status
from tests.items.factories import RAW_TEXT, RESULT, make_item
from tests.items.other_connection import other_connection
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

ONCE = [("items_enriching", "")]


@pytest.fixture
def ear(transactional_db: None) -> Iterator[psycopg.Connection]:
    with other_connection() as listening:
        for channel in ("items_enriching", "items_cancelled", "last"):
            listening.execute(f"LISTEN {channel}")
        yield listening


def heard(ear: psycopg.Connection) -> list[tuple[str, str]]:
    """Return all notifications so far. PostgreSQL delivers them in the order of the commits, and ours is the last."""
    sql("NOTIFY last")
    notifications: list[tuple[str, str]] = []
    for notification in ear.notifies(timeout=PATIENCE_SECONDS):
        if notification.channel == "last":
            return notifications
        notifications.append((notification.channel, notification.payload))
    pytest.fail("The last notification never came.")


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def claim(item: Item) -> None:
    sql("UPDATE items SET claimed_by = 'worker-1', claimed_at = now() WHERE id = %s", item.pk)


def test_insert_notifies_once(ear: psycopg.Connection, owner: User) -> None:
    Item.objects.capture(owner=owner, raw_text=RAW_TEXT)

    assert heard(ear) == ONCE


def test_sql_insert_notifies_once(ear: psycopg.Connection, owner: User) -> None:
    sql("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'text')", owner.pk)

    assert heard(ear) == ONCE


def test_insert_of_ten_thousand_sends_one_notification(ear: psycopg.Connection, owner: User) -> None:
    sql("INSERT INTO items (owner_id, raw_text) SELECT %s, 'text' FROM generate_series(1, 10000)", owner.pk)

    assert heard(ear) == ONCE
    assert Item.objects.count() == 10_000


@pytest.mark.thorough
@pytest.mark.slow
def test_bulk_create_of_ten_thousand_sends_one_notification(ear: psycopg.Connection, owner: User) -> None:
    Item.objects.bulk_create([Item(owner=owner, raw_text=RAW_TEXT) for _ in range(10_000)])

    assert heard(ear) == ONCE


def test_rolled_back_insert_does_not_notify(ear: psycopg.Connection, owner: User) -> None:
    with other_connection(autocommit=False) as other:
        other.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'text')", (owner.pk,))
        other.rollback()

    assert heard(ear) == []


def test_capture_without_enrichment_does_not_notify(ear: psycopg.Connection, owner: User) -> None:
    Item.objects.capture(owner=owner, raw_text=RAW_TEXT, enrich=False)

    assert heard(ear) == []


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ENRICHING])
def test_insert_in_another_status_does_not_notify(ear: psycopg.Connection, owner: User, status: Status) -> None:
    make_item(owner, status=status)

    assert heard(ear) == []


def test_sql_retry_of_many_items_notifies_once(ear: psycopg.Connection, owner: User) -> None:
    for _ in range(5):
        make_item(owner, status=Status.FAILED)

    sql("UPDATE items SET status = 'ENRICHING' WHERE status = 'FAILED'")

    assert heard(ear) == ONCE


@pytest.mark.parametrize(
    "retry", [Item.retry, lambda item: Item.objects.filter(pk=item.pk).retry()], ids=["one item", "many items"]
)
def test_retry_notifies(ear: psycopg.Connection, owner: User, retry: Callable[[Item], object]) -> None:
    item = make_item(owner, status=Status.FAILED)

    retry(item)

    assert heard(ear) == ONCE


@pytest.mark.parametrize(
    "change",
    [
        "claimed_by = 'worker-1', claimed_at = now(), fencing_token = fencing_token + 1, attempt_count = 1",
        "available_at = now() + interval '45 s'",
        "status = 'ENRICHING', available_at = now()",
        "status = 'FAILED', enrichment_error = 'LLM_TIMEOUT: Too late.'",
        "status = 'READY_TO_CONFIRM', title = 't', summary = 's', tags = '{a}', source_type = 'NOTE'",
        "raw_text = 'other'",
    ],
    ids=["claim", "renewal", "backoff", "error", "result", "text"],
)
def test_changes_by_a_worker_do_not_notify(ear: psycopg.Connection, owner: User, change: str) -> None:
    item = make_item(owner)
    heard(ear)

    sql(f"UPDATE items SET {change} WHERE id = %s", item.pk)

    assert heard(ear) == []


def test_edit_and_confirm_do_not_notify(ear: psycopg.Connection, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    item.edit(title="Another title")
    item.confirm()

    assert heard(ear) == []


@pytest.mark.parametrize("redraft", [Item.redraft, lambda item: Item.objects.filter(pk=item.pk).redraft()])
def test_redraft_notifies(ear: psycopg.Connection, owner: User, redraft: Callable[[Item], object]) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    redraft(item)

    assert heard(ear) == ONCE


def test_discard_of_a_claimed_item_notifies_its_id(ear: psycopg.Connection, owner: User) -> None:
    item = make_item(owner)
    claim(item)
    heard(ear)

    item.discard()

    assert heard(ear) == [("items_cancelled", str(item.pk))]


def test_discard_of_many_notifies_claimed_items_only(ear: psycopg.Connection, owner: User) -> None:
    claimed = [make_item(owner) for _ in range(2)]
    make_item(owner)
    for item in claimed:
        claim(item)
    heard(ear)

    Item.objects.all().discard()

    assert sorted(heard(ear)) == sorted(("items_cancelled", str(item.pk)) for item in claimed)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.DISCARDED])
def test_discard_of_an_unclaimed_item_does_not_notify(ear: psycopg.Connection, owner: User, status: Status) -> None:
    item = make_item(owner, status=status)
    heard(ear)

    item.discard()

    assert heard(ear) == []


def test_result_of_a_claimed_item_cancels_nothing(ear: psycopg.Connection, owner: User) -> None:
    item = make_item(owner)
    claim(item)
    heard(ear)

    Item.objects.filter(pk=item.pk).update(status=Status.READY_TO_CONFIRM, claimed_by=None, **RESULT)

    assert heard(ear) == []

"""The cost of a claim when 200,000 items wait, for any spread over owners and any statistics."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from items import queue, sql
from items.sql import QUEUE
from tests.items.other_connection import other_connection

pytestmark = pytest.mark.django_db(transaction=True)

PENDING = 200_000
OWNERS = 2_000

MANY_OWNERS = f"""
INSERT INTO items (owner_id, raw_text, available_at)
SELECT id, 'x', now() FROM auth_user, generate_series(1, {PENDING // OWNERS})
"""
ONE_OWNER_HAS_ALL = f"""
INSERT INTO items (owner_id, raw_text, available_at)
SELECT (SELECT min(id) FROM auth_user), 'x', now() FROM generate_series(1, {PENDING})
"""
ONE_OWNER_BEFORE_MANY = f"""
INSERT INTO items (owner_id, raw_text, available_at)
SELECT (SELECT min(id) FROM auth_user) + CASE WHEN n <= {OWNERS} THEN n - 1 ELSE 0 END, 'x', now()
FROM generate_series(1, {PENDING}) n
"""
NONE_IS_DUE = f"""
INSERT INTO items (owner_id, raw_text, available_at)
SELECT id, 'x', now() + interval '1 hour' FROM auth_user, generate_series(1, {PENDING // OWNERS})
"""
MOST_WAIT_FOR_THEIR_TIME = f"""
INSERT INTO items (owner_id, raw_text, available_at)
SELECT id, 'x', now() + CASE WHEN n = 1 AND id % 100 = 0 THEN interval '0' ELSE interval '1 hour' END
FROM auth_user, generate_series(1, {PENDING // OWNERS}) n
"""


def finding() -> str:
    """Return the part of a claim that finds the items and locks them."""
    function = sql.read("claim.sql")
    statement = function[function.index("WITH RECURSIVE") : function.index(",\n    lost AS")] + " SELECT * FROM due"
    for name, parameter in {"after_owner": "after_owner", "slots": "limit", "per_owner": "per_owner"}.items():
        statement = re.sub(rf"\b{name}\b", f"%({parameter})s", statement)
    return statement.replace("has_pauses", "true")


# Writing four items touches some pages of each index. Where most are not due yet, more owners are visited.
SHAPES = [
    pytest.param(MANY_OWNERS, 250, id="many-owners"),
    pytest.param(ONE_OWNER_HAS_ALL, 250, id="one-owner-has-all"),
    pytest.param(ONE_OWNER_BEFORE_MANY, 250, id="one-owner-before-many"),
    pytest.param(MOST_WAIT_FOR_THEIR_TIME, 600, id="most-are-not-due-yet"),
]


@pytest.fixture
def without_triggers(transactional_db: None) -> Iterator[None]:
    """Fill the table without keys and triggers, which take longest, in a transaction that is rolled back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            # Autovacuum sees no uncommitted row, and would record that 5,000 pages hold none.
            cursor.execute("LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE")
        yield
        transaction.set_rollback(True)


def pages_of_a_claim(statement: str = QUEUE["claim"]) -> int:
    """Return the pages that the product's own statement touches. Roll its changes back."""
    parameters: dict[str, Any] = {
        "after_owner": queue.BEFORE_ALL_OWNERS,
        "limit": 4,
        "per_owner": 0,
        "lease_seconds": 45,
        "text_length": 1_000_000,
        "worker": "worker",
    }
    for _ in range(2):  # reads of the first planning are no part of a claim
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
            ((plan,),) = cursor.fetchone()
            transaction.set_rollback(True)
    assert plan["Plan"]["Actual Rows"] == 4
    pages: int = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return pages


@pytest.mark.parametrize(("spread", "most_pages"), SHAPES)
def test_claim_reads_little_when_200_000_items_are_pending(
    without_triggers: None, spread: str, most_pages: int
) -> None:
    User.objects.bulk_create([User(username=f"user {number}") for number in range(OWNERS)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'items'::regclass")
        cursor.execute(spread)
        before = pages_of_a_claim()
        cursor.execute("ANALYZE items")
        after = pages_of_a_claim()
        found = pages_of_a_claim(finding())

    print(f"{before} pages while the planner knows nothing, {after} after ANALYZE, {found} to find")
    assert max(before, after) < most_pages
    assert found < most_pages - 100


def test_claim_reads_little_when_the_planner_expects_no_rows(without_triggers: None) -> None:
    """Statistics that were taken while all items were leased, and a burst after that: a plan that fetched what is due
    and sorted it would read all of it, for each owner in turn.
    """
    User.objects.bulk_create([User(username=f"user {number}") for number in range(OWNERS)])
    with connection.cursor() as cursor:
        cursor.execute(NONE_IS_DUE)
        cursor.execute("ANALYZE items")
        cursor.execute("TRUNCATE items CASCADE")
        cursor.execute(MANY_OWNERS)

    assert pages_of_a_claim() < 250


def test_claim_reads_little_while_an_import_is_uncommitted(
    transactional_db: None,
) -> None:
    User.objects.bulk_create([User(username=f"user {number}") for number in range(OWNERS)])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(ONE_OWNER_BEFORE_MANY)
        with other_connection() as autovacuum:
            autovacuum.execute("ANALYZE items")

    assert pages_of_a_claim() < 250

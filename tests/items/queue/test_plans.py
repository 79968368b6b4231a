"""The query plans of the protocol in sessions that have cached a plan for a small table."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.pauses import ALL_OWNERS, pause_enrichment
from items.sql import QUEUE
from tests.items.factories import make_item
from tests.items.queue.protocol import claim, finish, success
from tests.plugins.tiers import first_usual

pytestmark = pytest.mark.django_db(transaction=True)

# After this many executions, PostgreSQL keeps a plan for the rest of the session.
EXECUTIONS_BEFORE_A_PLAN_IS_KEPT = 5


def rows_read_by_scans() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'items'")
        (number,) = cursor.fetchone()
        return int(number)


def test_verdicts_of_a_burst_scan_no_whole_table(owner: User) -> None:
    connection.close()
    make_item(owner)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items")
    for _ in range(2 * EXECUTIONS_BEFORE_A_PLAN_IS_KEPT):
        make_item(owner)
        finish([success(claimed) for claimed in claim(1)])
    Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {number}." for number in range(1000)])
    claims = claim(100)
    read_before = rows_read_by_scans()

    finish([success(claimed) for claimed in claims])

    assert len(claims) == 100
    assert rows_read_by_scans() == read_before


@pytest.mark.parametrize("paused", first_usual("owner", "all"))
def test_claim_with_pauses_scans_no_whole_table(owner: User, stranger: User, paused: str) -> None:
    for user in (owner, stranger):
        Item.objects.capture_many(owner=user, raw_texts=[f"Text number {number}." for number in range(1000)])
    pause_enrichment(owner.pk if paused == "owner" else ALL_OWNERS)
    read_before = rows_read_by_scans()

    claims = claim(100)
    with connection.cursor() as cursor:
        cursor.execute(QUEUE["oldest_wait"])

    assert len(claims) == (100 if paused == "owner" else 0)
    assert rows_read_by_scans() == read_before

"""The query plans of the reasons, in a table of many other items."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.admin.causes import read_groups
from items.models import Item
from items.reasons import Reason
from tests.items.queue.test_plans import rows_read_by_scans

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = """
    INSERT INTO items (owner_id, raw_text, status, confirmed_at)
    SELECT %(owner)s, 'text', 'ARCHIVED', now() FROM generate_series(1, 5000)
"""
FAILED = """
    INSERT INTO items (owner_id, raw_text, status, enrichment_error, error_reason)
    SELECT %(owner)s, 'text', 'FAILED', 'CODE: Why.', (%(reasons)s::text[])[number %% 8 + 1]
    FROM generate_series(1, 2400) number
"""
NODES = """SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'items_failed_reason'"""


def read_from_the_index() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(NODES)
        (number,) = cursor.fetchone()
        return int(number)


@pytest.fixture
def failures(owner: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, {"owner": owner.pk})
        cursor.execute(FAILED, {"owner": owner.pk, "reasons": [*list(Reason)[:6], None, "OF_ANOTHER_VERSION"]})
        cursor.execute("ANALYZE items, enrichment_attempts")


@pytest.mark.usefixtures("failures")
def test_groups_read_only_their_index() -> None:
    scanned, read = rows_read_by_scans(), read_from_the_index()

    groups = read_groups()

    assert [group.count.number for group in groups] == [600] + [300] * 6
    assert rows_read_by_scans() == scanned
    assert 0 < read_from_the_index() - read <= 2 * 2400


@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_items_of_a_reason_come_from_the_index(order: str) -> None:
    items = Item.objects.failed(error_reason=Reason.TIMED_OUT)
    ordered = items.newest_first() if order == "newest" else items.order_by("created_at", "id")

    plan = ordered.values_list("pk")[:50].explain()

    assert "items_failed_reason" in plan

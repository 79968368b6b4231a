"""The time at which a retried item becomes due."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from items.models import Item
from items.states import Status
from tests.items.factories import make_item

HOUR = timedelta(hours=1)
SOON = timedelta(minutes=1)


def wait(item: Item) -> timedelta:
    """Return the time until the item becomes due."""
    item.refresh_from_db()
    return item.available_at - timezone.now()


def test_delayed_retry_becomes_due_after_the_delay(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    Item.objects.filter(pk=item.pk).retry(after=HOUR)

    assert HOUR - SOON < wait(item) <= HOUR


def test_retry_without_a_delay_is_due_at_once(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    Item.objects.filter(pk=item.pk).retry()

    assert -SOON < wait(item) <= timedelta(0)


@pytest.mark.parametrize("verb", ["one", "many"])
def test_old_lease_does_not_delay_a_retry(owner: User, verb: str) -> None:
    item = make_item(owner, status=Status.FAILED, available_at=timezone.now() + HOUR)

    if verb == "one":
        item.retry()
    else:
        Item.objects.filter(pk=item.pk).retry()

    assert wait(item) <= timedelta(0)


def test_past_due_time_does_not_get_ahead_of_others(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE items SET status = 'ENRICHING', available_at = now() - interval '1 day' WHERE id = %s", [item.pk]
        )

    assert -SOON < wait(item) <= timedelta(0)


def test_delayed_retry_resets_the_attempts(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED, attempt_count=3, fencing_token=5)

    Item.objects.filter(pk=item.pk).retry(after=HOUR)

    item.refresh_from_db()
    assert (item.attempt_count, item.fencing_token, item.enrichment_error) == (0, 6, None)


def test_scheduled_item_can_be_discarded(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    Item.objects.filter(pk=item.pk).retry(after=HOUR)

    item.discard()

    assert item.status == Status.DISCARDED

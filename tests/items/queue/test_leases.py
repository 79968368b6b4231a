"""Leases, and the time of the next due item."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items.models import Item
from tests.items.factories import make_item
from tests.items.queue.protocol import claim, next_due_in, renew

pytestmark = pytest.mark.django_db(transaction=True)


def test_renewal_extends_leases_and_returns_the_held_items(owner: User) -> None:
    kept, discarded, taken = (make_item(owner) for _ in range(3))
    claims = claim(lease_seconds=1)
    discarded.discard()
    Item.objects.filter(pk=taken.pk).update(fencing_token=99)

    held = renew(claims, lease_seconds=600)

    kept.refresh_from_db()
    assert held == {kept.pk}
    assert kept.available_at > timezone.now() + timedelta(seconds=500)


def test_renewal_without_claims_returns_nothing() -> None:
    assert renew([], lease_seconds=1) == set()


def test_next_due_is_the_first_end_of_lease_or_backoff(owner: User) -> None:
    nothing = next_due_in()
    make_item(owner, available_at=timezone.now() + timedelta(seconds=100))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds = next_due_in()

    assert nothing is None
    assert seconds is not None
    assert 45 < seconds <= 50


def test_items_that_a_claim_left_are_due_now(owner: User) -> None:
    make_item(owner, available_at=timezone.now() - timedelta(seconds=5))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds = next_due_in()

    assert seconds is not None
    assert seconds < 0

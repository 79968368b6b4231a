"""How long a claim holds, and when the next item is due."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items.models import Item
from tests.items.factories import make_item
from tests.items.queue.protocol import claim, next_due_in, renew

pytestmark = pytest.mark.django_db(transaction=True)


def test_renewal_lengthens_leases_and_tells_which_are_still_held(owner: User) -> None:
    kept, discarded, taken = (make_item(owner) for _ in range(3))
    claims = claim(lease_seconds=1)
    discarded.discard()
    Item.objects.filter(pk=taken.pk).update(fencing_token=99)

    held = renew(claims, lease_seconds=600)

    kept.refresh_from_db()
    assert held == {kept.pk}
    assert kept.available_at > timezone.now() + timedelta(seconds=500)


def test_renewal_of_nothing_is_nothing() -> None:
    assert renew([], lease_seconds=1) == set()


def test_next_due_is_the_first_lease_or_backoff_to_end(owner: User) -> None:
    nothing = next_due_in()
    make_item(owner, available_at=timezone.now() + timedelta(seconds=100))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds = next_due_in()

    assert nothing is None
    assert seconds is not None
    assert 45 < seconds <= 50


def test_what_a_claim_left_behind_is_due_now(owner: User) -> None:
    make_item(owner, available_at=timezone.now() - timedelta(seconds=5))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds = next_due_in()

    assert seconds is not None
    assert seconds < 0

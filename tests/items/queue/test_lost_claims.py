"""Claims do not wait for the disk. A crash of the server may undo a claim whose worker is still running."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enrichment import verdicts
from items.claims import Claim
from items.models import Item
from items.states import Outcome, Status
from tests.items.factories import make_item
from tests.items.queue.protocol import claim, finish, success

pytestmark = pytest.mark.django_db(transaction=True)


class ServerCrashed(Exception):
    """Undoes a claim, as a crash of the server does."""


def claim_by(worker: str) -> Claim:
    (claimed,) = claim(1, worker=worker)
    return claimed


def claim_that_is_lost(worker: str) -> Claim:
    with suppress(ServerCrashed), transaction.atomic():
        lost = claim_by(worker)
        raise ServerCrashed
    return lost


def test_result_of_a_lost_claim_does_not_block_the_next(owner: User) -> None:
    item = make_item(owner)
    lost = claim_that_is_lost("before")
    finish([success(lost, title="Before the crash")])

    late = finish([success(claim_by("after"), title="After the crash")]).late

    item.refresh_from_db()
    assert late == []
    assert (item.status, item.title) == (Status.READY_TO_CONFIRM, "After the crash")
    assert list(item.attempts.values_list("outcome", flat=True)) == [Outcome.STALE, Outcome.SUCCEEDED]


def test_result_of_a_lost_claim_never_counts_for_the_new_claim(owner: User) -> None:
    item = make_item(owner)
    lost = claim_that_is_lost("before")
    held = claim_by("after")

    late = finish([success(lost, title="Before the crash")]).late
    counted = finish([success(held, title="After the crash")]).late

    item.refresh_from_db()
    assert (len(late), counted) == (1, [])
    assert item.title == "After the crash"


def test_released_lost_claim_is_recorded_as_lost(owner: User) -> None:
    item = make_item(owner)
    lost = claim_that_is_lost("before")

    finish([verdicts.released(lost)])

    item.refresh_from_db()
    assert item.status == Status.ENRICHING
    assert item.attempts.get().outcome == Outcome.LOST, "the item was not discarded"


def test_recorded_attempt_does_not_block_claims(owner: User) -> None:
    """An error in a claim would stop every worker."""
    item = make_item(owner)
    dead = claim_by("dead")
    make_stale_attempt(item, dead)
    Item.objects.update(available_at=timezone.now() - timedelta(seconds=1))

    claimed = claim_by("alive")

    assert claimed.item_id == item.pk
    assert item.attempts.count() == 1


def make_stale_attempt(item: Item, claimed: Claim) -> None:
    now = timezone.now()
    item.attempts.create(
        number=1,
        fencing_token=claimed.fencing_token,
        worker=claimed.worker,
        started_at=now,
        finished_at=now,
        outcome=Outcome.STALE,
    )

"""The items that a claim takes."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from items import queue
from items.claims import Claim
from items.models import EnrichmentPause, Item
from items.pauses import ALL_OWNERS
from items.states import Outcome, Status
from tests.items.factories import make_item
from tests.items.queue.protocol import claim, expire_leases
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_connection(work: Callable[[], None]) -> None:
    """Run `work` in a thread with its own connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "it waits for a lock"


def test_claim_leases_the_item_to_the_worker(owner: User) -> None:
    item = make_item(owner, raw_text="some text")

    (claimed,) = claim(lease_seconds=60)

    item.refresh_from_db()
    assert (claimed.item_id, claimed.owner_id, claimed.raw_text) == (item.pk, owner.pk, "some text")
    assert (item.claimed_by, item.attempt_count, item.fencing_token) == ("worker", 1, claimed.fencing_token)
    assert timedelta(seconds=55) < item.available_at - timezone.now() < timedelta(seconds=65)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ENRICHING])
def test_claim_takes_only_enriching_items(owner: User, status: Status) -> None:
    make_item(owner, status=status)

    assert claim() == []


def test_claim_skips_leased_and_backing_off_items(owner: User) -> None:
    make_item(owner, available_at=timezone.now() + timedelta(seconds=5))
    make_item(owner)
    claim()

    assert claim() == []


def test_claim_takes_the_oldest_items_up_to_the_limit(owner: User) -> None:
    now = timezone.now()
    texts = [f"{seconds} seconds" for seconds in range(5)]
    for seconds, text in enumerate(texts):
        make_item(owner, raw_text=text, available_at=now - timedelta(seconds=seconds))

    claimed = claim(2)

    assert {each.raw_text for each in claimed} == {"4 seconds", "3 seconds"}


def test_claim_is_fair_between_owners(owner: User, stranger: User) -> None:
    early = timezone.now() - timedelta(hours=1)
    Item.objects.bulk_create([Item(owner=owner, raw_text="text", available_at=early) for _ in range(100)])
    make_item(stranger)

    claimed = claim(2)

    assert {each.owner_id for each in claimed} == {owner.pk, stranger.pk}


def test_claims_of_single_slots_rotate_between_owners(owner: User, stranger: User) -> None:
    third = User.objects.create_user("third")
    for user in (owner, stranger, third):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(3)])

    turns = []
    last_owner = queue.BEFORE_ALL_OWNERS
    while claimed := claim(1, after_owner=last_owner) or claim(1):
        last_owner = claimed[0].owner_id
        turns.append(last_owner)

    assert turns == [owner.pk, stranger.pk, third.pk] * 3


def test_claim_gives_all_slots_to_the_only_owner(owner: User) -> None:
    Item.objects.bulk_create([Item(owner=owner, raw_text="text") for _ in range(30)])

    assert len(claim(20)) == 20


@pytest.mark.parametrize("numbers", [(9,), (9, 1), (1, 9), (4, 4), (3, 3, 3), (1, 1, 1, 1, 1), (7, 2, 1, 1)], ids=str)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6])
def test_next_claim_begins_anew_after_the_last_owner(numbers: tuple[int, ...], limit: int) -> None:
    owners = [User.objects.create(username=f"user{place}") for place in range(len(numbers))]
    for user, number in zip(owners, numbers, strict=True):
        Item.objects.capture_many(owner=user, raw_texts=["some text"] * number)
    after = queue.BEFORE_ALL_OWNERS

    while len(claims := claim(limit, after_owner=after)) == limit:
        after = queue.last_owner(claims, limit)

        last = max(claimed.owner_id for claimed in claims)
        later = Item.objects.filter(claimed_by=None, owner_id__gt=last)
        assert after == last or not later.exists()
        if len(numbers) == 1 and limit > 1:
            assert after == queue.BEFORE_ALL_OWNERS, "another claim would find nothing"


def test_claim_respects_the_limit_of_an_owner_across_claims(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(10)])

    claimed = claim(1, per_owner=2) + claim(10, per_owner=2) + claim(10, per_owner=2)

    assert Counter(each.owner_id for each in claimed) == {owner.pk: 2, stranger.pk: 2}


def test_claim_skips_owners_whose_budget_is_spent(owner: User, stranger: User) -> None:
    third = User.objects.create_user("third")
    for user in (owner, stranger, third):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(3)])
    EnrichmentPause.objects.create(reason="BUDGET", owner_id=owner.pk, until=timezone.now() + timedelta(hours=1))
    EnrichmentPause.objects.create(reason="BUDGET", owner_id=stranger.pk, until=timezone.now() - timedelta(seconds=1))

    claimed = claim(4) + claim(10, per_owner=9) + claim(10)

    assert Counter(each.owner_id for each in claimed) == {stranger.pk: 3, third.pk: 3}


@pytest.mark.parametrize(("seconds", "number"), [(3600, 0), (-1, 2)])
def test_claim_takes_nothing_while_the_budget_of_all_is_spent(
    owner: User, stranger: User, seconds: float, number: int
) -> None:
    for user in (owner, stranger):
        make_item(user)
    EnrichmentPause.objects.create(
        reason="BUDGET", owner_id=ALL_OWNERS, until=timezone.now() + timedelta(seconds=seconds)
    )

    assert len(claim()) == number


def test_claim_skips_locked_items(owner: User) -> None:
    first = make_item(owner, available_at=timezone.now() - timedelta(seconds=9))
    second = make_item(owner)
    taken: list[Claim] = []

    with transaction.atomic():
        Item.objects.select_for_update().get(pk=first.pk)
        in_another_connection(lambda: taken.extend(claim(1)))

    assert [each.item_id for each in taken] == [second.pk]


def test_simultaneous_claims_never_share_an_item(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(200)])
    taken: list[Claim] = []

    def take_all() -> None:
        while claimed := claim(7):
            taken.extend(claimed)
        connection.close()

    threads = [threading.Thread(target=take_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert Counter(Counter(each.item_id for each in taken).values()) == {1: 400}


def test_claim_of_an_expired_lease_records_a_lost_attempt(owner: User) -> None:
    item = make_item(owner)
    (dead,) = claim(worker="dead")
    expire_leases()

    (claimed,) = claim(worker="alive")

    (attempt,) = item.attempts.all()
    assert claimed.fencing_token > dead.fencing_token
    assert claimed.attempt == 2
    assert (attempt.outcome, attempt.worker, attempt.number) == (Outcome.LOST, "dead", 1)

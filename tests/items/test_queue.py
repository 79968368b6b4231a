"""The queue protocol on its own: claim, renew, finish."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from items import queue
from items.claims import Claim, Verdict
from items.models import EnrichmentAttempt, Item
from items.states import Outcome, SourceType, Status
from tests.items.factories import make_item
from tests.items.other_connection import other_connection

pytestmark = pytest.mark.django_db(transaction=True)


def claim(limit: int = 10, *, worker: str = "worker", lease_seconds: float = 60, **options: int) -> list[Claim]:
    return queue.claim(limit, worker=worker, lease_seconds=lease_seconds, **options)


def success(claimed: Claim, **fields: Any) -> Verdict:
    now = timezone.now()
    usual: dict[str, Any] = {
        "outcome": Outcome.SUCCEEDED,
        "status": Status.READY_TO_CONFIRM,
        "title": "A title",
        "summary": "A summary.",
        "tags": ("a", "b", "c"),
        "source_type": SourceType.NOTE,
    }
    return Verdict(claim=claimed, started_at=now, finished_at=now, **{**usual, **fields})


def release(claimed: Claim) -> Verdict:
    now = timezone.now()
    return Verdict(
        claim=claimed,
        outcome=Outcome.RELEASED,
        status=Status.ENRICHING,
        started_at=now,
        finished_at=now,
        is_refunded=True,
    )


def expire_leases() -> None:
    Item.objects.update(available_at=timezone.now() - timedelta(seconds=1))


def outcomes(item: Item) -> list[str]:
    return list(item.attempts.order_by("number").values_list("outcome", flat=True))


def in_another_connection(work: Callable[[], None]) -> None:
    """Run `work` to its end in a thread, which has a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "it waits for a lock"


def test_claim_leases_the_item_to_the_worker(owner: User) -> None:
    item = make_item(owner, raw_text="some text")

    (claimed,) = claim(lease_seconds=60)

    item.refresh_from_db()
    assert (claimed.item_id, claimed.owner_id, claimed.raw_text) == (item.pk, owner.pk, "some text")
    assert (item.claimed_by, item.attempt_count, item.fencing_token) == ("worker", 1, claimed.fencing_token)
    assert timedelta(seconds=55) < item.available_at - timezone.now() < timedelta(seconds=65)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ENRICHING])
def test_claim_takes_nothing_but_enriching_items(owner: User, status: Status) -> None:
    make_item(owner, status=status)

    assert claim() == []


def test_claim_leaves_leased_and_backing_off_items(owner: User) -> None:
    make_item(owner, available_at=timezone.now() + timedelta(seconds=5))
    make_item(owner)
    claim()

    assert claim() == []


def test_claim_takes_no_more_than_the_limit_and_the_longest_waiting_first(owner: User) -> None:
    now = timezone.now()
    texts = [f"{seconds} seconds" for seconds in range(5)]
    for seconds, text in enumerate(texts):
        make_item(owner, raw_text=text, available_at=now - timedelta(seconds=seconds))

    claimed = claim(2)

    assert {each.raw_text for each in claimed} == {"4 seconds", "3 seconds"}


def test_claim_takes_turns_between_owners(owner: User, stranger: User) -> None:
    early = timezone.now() - timedelta(hours=1)
    Item.objects.bulk_create([Item(owner=owner, raw_text="text", available_at=early) for _ in range(100)])
    make_item(stranger)

    claimed = claim(2)

    assert {each.owner_id for each in claimed} == {owner.pk, stranger.pk}


def test_claim_of_single_slots_goes_round_the_owners(owner: User, stranger: User) -> None:
    third = User.objects.create_user("third")
    for user in (owner, stranger, third):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(3)])

    turns = []
    last_owner = queue.BEFORE_ALL_OWNERS
    while claimed := claim(1, after_owner=last_owner) or claim(1):
        last_owner = claimed[0].owner_id
        turns.append(last_owner)

    assert turns == [owner.pk, stranger.pk, third.pk] * 3


def test_claim_gives_free_slots_to_an_owner_when_others_have_nothing(owner: User) -> None:
    Item.objects.bulk_create([Item(owner=owner, raw_text="text") for _ in range(30)])

    assert len(claim(20)) == 20


def test_claim_respects_the_limit_of_an_owner_across_claims(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        Item.objects.bulk_create([Item(owner=user, raw_text="text") for _ in range(10)])

    claimed = claim(1, per_owner=2) + claim(10, per_owner=2) + claim(10, per_owner=2)

    assert Counter(each.owner_id for each in claimed) == {owner.pk: 2, stranger.pk: 2}


def test_claim_does_not_wait_for_an_item_that_another_worker_is_taking(owner: User) -> None:
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
        thread.join(30)

    assert Counter(Counter(each.item_id for each in taken).values()) == {1: 400}


def test_claim_after_the_lease_has_run_out_records_the_dead_worker(owner: User) -> None:
    item = make_item(owner)
    (dead,) = claim(worker="dead")
    expire_leases()

    (claimed,) = claim(worker="alive")

    (attempt,) = item.attempts.all()
    assert claimed.fencing_token > dead.fencing_token
    assert claimed.attempt == 2
    assert (attempt.outcome, attempt.worker, attempt.number) == (Outcome.LOST, "dead", 1)


def test_renewal_lengthens_leases_and_tells_which_are_still_held(owner: User) -> None:
    kept, discarded, taken = (make_item(owner) for _ in range(3))
    claims = claim(lease_seconds=1)
    discarded.discard()
    Item.objects.filter(pk=taken.pk).update(fencing_token=99)

    held = queue.renew(claims, lease_seconds=600)

    kept.refresh_from_db()
    assert held == {kept.pk}
    assert kept.available_at > timezone.now() + timedelta(seconds=500)


def test_renewal_of_nothing_is_nothing() -> None:
    assert queue.renew([], lease_seconds=1) == set()


def test_next_due_is_the_first_lease_or_backoff_to_end(owner: User) -> None:
    nothing, asked_at = queue.next_due_in(asked_before_at=queue.BEFORE_ALL_TIMES)
    make_item(owner, available_at=timezone.now() + timedelta(seconds=100))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds, _ = queue.next_due_in(asked_before_at=asked_at)

    assert nothing is None
    assert seconds is not None
    assert 45 < seconds <= 50


def test_what_became_due_since_the_last_answer_is_due_now(owner: User) -> None:
    make_item(owner, available_at=timezone.now() - timedelta(seconds=5))
    make_item(owner, available_at=timezone.now() + timedelta(seconds=50))

    seconds, asked_at = queue.next_due_in(asked_before_at=timezone.now() - timedelta(seconds=20))
    afterwards, _ = queue.next_due_in(asked_before_at=asked_at)

    assert seconds is not None
    assert afterwards is not None
    assert seconds < 0 < afterwards


def test_finish_writes_item_and_attempt_together(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()

    late = queue.finish([success(claimed, model="model", prompt_tokens=5)]).late

    item.refresh_from_db()
    (attempt,) = item.attempts.all()
    assert late == []
    assert (item.status, item.title, item.tags) == (Status.READY_TO_CONFIRM, "A title", ["a", "b", "c"])
    assert (item.claimed_by, item.claimed_at) == (None, None)
    assert (attempt.outcome, attempt.model, attempt.prompt_tokens) == (Outcome.SUCCEEDED, "model", 5)


def test_postponed_item_is_out_of_the_hands_of_its_worker(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()
    postponed = success(claimed, outcome=Outcome.FAILED, status=Status.ENRICHING, error_code="CODE", delay_seconds=60)
    queue.finish([postponed])
    item.refresh_from_db()
    due_at = item.available_at

    late = queue.finish([postponed]).late
    held = queue.renew([claimed], lease_seconds=600)

    item.refresh_from_db()
    assert late == [postponed]
    assert held == set()
    assert item.available_at == due_at
    assert outcomes(item) == [Outcome.FAILED]


def test_finish_twice_changes_nothing(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()
    verdict = success(claimed)
    queue.finish([verdict])

    late = queue.finish([success(claimed, title="Another title")]).late

    item.refresh_from_db()
    assert len(late) == 1
    assert item.title == "A title"
    assert outcomes(item) == [Outcome.SUCCEEDED]


def test_result_after_takeover_is_dropped_and_recorded_as_stale(owner: User) -> None:
    item = make_item(owner)
    (frozen,) = claim(worker="frozen")
    expire_leases()
    (peer,) = claim(worker="peer")
    queue.finish([success(peer, title="The peer's title")])
    item.refresh_from_db()
    item.confirm()

    late = queue.finish([success(frozen, title="Too late", prompt_tokens=9)]).late

    item.refresh_from_db()
    assert [verdict.title for verdict in late] == ["Too late"]
    assert (item.status, item.title) == (Status.ARCHIVED, "The peer's title")
    assert outcomes(item) == [Outcome.STALE, Outcome.SUCCEEDED]
    assert item.attempts.get(outcome=Outcome.STALE).prompt_tokens == 9


def test_release_after_takeover_leaves_the_attempt_lost(owner: User) -> None:
    item = make_item(owner)
    (frozen,) = claim()
    expire_leases()
    claim()

    queue.finish([release(frozen)])

    assert outcomes(item) == [Outcome.LOST]


def test_verdicts_of_items_that_are_gone_are_dropped(owner: User) -> None:
    kept = make_item(owner)
    gone = make_item(owner)
    claims = claim()
    gone.delete()

    late = queue.finish([success(each) for each in claims]).late

    kept.refresh_from_db()
    assert [verdict.claim.item_id for verdict in late] != [kept.pk]
    assert kept.status == Status.READY_TO_CONFIRM
    assert EnrichmentAttempt.objects.count() == 1


def test_item_that_was_failed_and_retried_keeps_its_history_and_its_numbers(owner: User) -> None:
    item = make_item(owner)
    (first,) = claim()
    queue.finish(
        [success(first, outcome=Outcome.FAILED, status=Status.FAILED, error_code="CODE", enrichment_error="CODE: why")]
    )
    item.refresh_from_db()
    item.retry()
    (second,) = claim()

    queue.finish([success(second)])

    assert second.attempt == 1
    assert list(item.attempts.order_by("number").values_list("number", "outcome")) == [
        (1, Outcome.FAILED),
        (2, Outcome.SUCCEEDED),
    ]


def test_result_of_an_item_that_was_retried_meanwhile_does_not_count(owner: User) -> None:
    item = make_item(owner)
    (first,) = claim()
    Item.objects.filter(pk=item.pk).update(status=Status.FAILED, claimed_by=None, enrichment_error="CODE: by hand")
    item.refresh_from_db()
    item.retry()

    late = queue.finish([success(first)]).late

    item.refresh_from_db()
    assert len(late) == 1
    assert item.status == Status.ENRICHING


def test_item_that_somebody_has_locked_holds_up_no_other(owner: User) -> None:
    held, free = make_item(owner), make_item(owner)
    claims = claim()
    verdicts = {claimed.item_id: success(claimed) for claimed in claims}

    with other_connection(autocommit=False) as somebody:
        somebody.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [held.pk])
        still_held = queue.renew(claims, lease_seconds=600)
        first = queue.finish(list(verdicts.values()))
    again = queue.finish(first.locked)

    assert still_held == {held.pk, free.pk}
    assert first == ([], [verdicts[held.pk]])
    assert again == ([], [])
    assert set(Item.objects.values_list("status", flat=True)) == {Status.READY_TO_CONFIRM}
    assert EnrichmentAttempt.objects.count() == 2


def test_refused_verdict_rolls_the_whole_batch_back(owner: User) -> None:
    make_item(owner)
    make_item(owner)
    good, bad = claim()

    with pytest.raises(Exception, match="too long"):
        queue.finish([success(good), success(bad, title="x" * 101)])

    assert not Item.objects.filter(status=Status.READY_TO_CONFIRM).exists()
    assert not EnrichmentAttempt.objects.exists()

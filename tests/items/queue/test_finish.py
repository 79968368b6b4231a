"""What becomes of a verdict: written with its attempt, or dropped."""

import pytest
from django.contrib.auth.models import User

from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.items.factories import make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim, expire_leases, finish, outcomes, release, renew, success

pytestmark = pytest.mark.django_db(transaction=True)


def test_finish_writes_item_and_attempt_together(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()

    late = finish([success(claimed, model="model", prompt_tokens=5)]).late

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
    finish([postponed])
    item.refresh_from_db()
    due_at = item.available_at

    late = finish([postponed]).late
    held = renew([claimed], lease_seconds=600)

    item.refresh_from_db()
    assert late == [postponed]
    assert held == set()
    assert item.available_at == due_at
    assert outcomes(item) == [Outcome.FAILED]


def test_finish_twice_changes_nothing(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()
    verdict = success(claimed)
    finish([verdict])

    late = finish([success(claimed, title="Another title")]).late

    item.refresh_from_db()
    assert len(late) == 1
    assert item.title == "A title"
    assert outcomes(item) == [Outcome.SUCCEEDED]


def test_result_after_takeover_is_dropped_and_recorded_as_stale(owner: User) -> None:
    item = make_item(owner)
    (frozen,) = claim(worker="frozen")
    expire_leases()
    (peer,) = claim(worker="peer")
    finish([success(peer, title="The peer's title")])
    item.refresh_from_db()
    item.confirm()

    late = finish([success(frozen, title="Too late", prompt_tokens=9)]).late

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

    finish([release(frozen)])

    assert outcomes(item) == [Outcome.LOST]


def test_verdicts_of_items_that_are_gone_are_dropped(owner: User) -> None:
    kept = make_item(owner)
    gone = make_item(owner)
    claims = claim()
    gone.delete()

    late = finish([success(each) for each in claims]).late

    kept.refresh_from_db()
    assert [verdict.claim.item_id for verdict in late] != [kept.pk]
    assert kept.status == Status.READY_TO_CONFIRM
    assert EnrichmentAttempt.objects.count() == 1


def test_item_that_was_failed_and_retried_keeps_its_history_and_its_numbers(owner: User) -> None:
    item = make_item(owner)
    (first,) = claim()
    finish(
        [success(first, outcome=Outcome.FAILED, status=Status.FAILED, error_code="CODE", enrichment_error="CODE: why")]
    )
    item.refresh_from_db()
    item.retry()
    (second,) = claim()

    finish([success(second)])

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

    late = finish([success(first)]).late

    item.refresh_from_db()
    assert len(late) == 1
    assert item.status == Status.ENRICHING


def test_item_that_somebody_has_locked_holds_up_no_other(owner: User) -> None:
    held, free = make_item(owner), make_item(owner)
    claims = claim()
    verdicts = {claimed.item_id: success(claimed) for claimed in claims}

    with other_connection(autocommit=False) as somebody:
        somebody.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [held.pk])
        still_held = renew(claims, lease_seconds=600)
        first = finish(list(verdicts.values()))
    again = finish(first.locked)

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
        finish([success(good), success(bad, title="x" * 101)])

    assert not Item.objects.filter(status=Status.READY_TO_CONFIRM).exists()
    assert not EnrichmentAttempt.objects.exists()

"""Verdicts are written with their attempts, or dropped."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items.claims import Claim, Verdict
from items.models import EnrichmentAttempt, Item
from items.queue import CHANNEL_ENRICHING
from items.states import Outcome, SourceType, Status
from tests.items.factories import make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim, expire_leases, finish, outcomes, release, renew, success
from tests.waiting import PATIENCE_SECONDS

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


def test_draft_is_written_with_model_and_usage(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim(worker="worker")
    verdict = success(
        claimed,
        source_type=SourceType.ARTICLE,
        started_at=claimed.claimed_at - timedelta(seconds=2),
        model="model",
        prompt_tokens=5,
        completion_tokens=3,
        cost_usd=Decimal("0.00000021"),
        tags_filled=True,
    )

    finish([verdict])

    item.refresh_from_db()
    attempt = item.attempts.get()
    assert (item.title, item.summary, item.tags) == (verdict.title, verdict.summary, list(verdict.tags))
    assert (item.source_type, item.enrichment_error) == (SourceType.ARTICLE, None)
    assert (item.attempt_count, item.fencing_token) == (1, claimed.fencing_token)
    assert (attempt.number, attempt.fencing_token, attempt.worker) == (1, claimed.fencing_token, "worker")
    assert (attempt.outcome, attempt.error_code) == (Outcome.SUCCEEDED, None)
    assert (attempt.started_at, attempt.finished_at) == (verdict.started_at, verdict.finished_at)
    assert (attempt.model, attempt.prompt_tokens, attempt.completion_tokens) == ("model", 5, 3)
    assert (attempt.cost_usd, attempt.tags_filled) == (verdict.cost_usd, True)


def test_failure_is_written_with_its_error(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()
    now = timezone.now()

    finish(
        [
            Verdict(
                claim=claimed,
                outcome=Outcome.FAILED,
                status=Status.FAILED,
                started_at=now,
                finished_at=now,
                error_code="CODE",
                error_reason="REASON",
                enrichment_error="CODE: why",
            )
        ]
    )

    item.refresh_from_db()
    attempt = item.attempts.get()
    assert (item.status, item.enrichment_error, item.attempt_count) == (Status.FAILED, "CODE: why", 1)
    assert item.error_reason == "REASON"
    assert (item.title, item.summary, item.tags, item.source_type) == (None, None, [], None)
    assert (attempt.outcome, attempt.error_code, attempt.error_reason) == (Outcome.FAILED, "CODE", "REASON")
    assert (attempt.model, attempt.prompt_tokens, attempt.completion_tokens, attempt.cost_usd) == (None,) * 4
    assert not attempt.tags_filled


def test_postponed_item_becomes_due_after_its_delay(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()

    finish([success(claimed, outcome=Outcome.FAILED, status=Status.ENRICHING, error_code="C", delay_seconds=60)])

    item.refresh_from_db()
    assert timedelta(seconds=55) < item.available_at - timezone.now() <= timedelta(seconds=60)
    assert item.attempt_count == 1


def test_refunded_attempt_is_counted_as_a_refund(owner: User) -> None:
    item = make_item(owner)
    for _ in range(2):
        (claimed,) = claim()
        finish([success(claimed, outcome=Outcome.FAILED, status=Status.ENRICHING, error_code="C", is_refunded=True)])

    item.refresh_from_db()
    assert (item.attempt_count, item.refund_count) == (0, 2)
    assert [claimed.refunds for claimed in claim()] == [2]


def test_released_item_is_due_at_once_and_costs_no_attempt(owner: User) -> None:
    item = make_item(owner)
    (claimed,) = claim()

    finish([release(claimed)])

    item.refresh_from_db()
    assert item.available_at <= timezone.now()
    assert (item.attempt_count, item.refund_count, item.fencing_token) == (0, 0, claimed.fencing_token + 1)


@pytest.mark.parametrize(("verdict", "rings"), [(release, [""]), (success, [])])
def test_only_a_release_notifies(owner: User, verdict: Callable[[Claim], Verdict], rings: list[str]) -> None:
    make_item(owner)
    make_item(owner)
    claims = claim()
    heard = []

    with other_connection() as peer:
        peer.execute(f"LISTEN {CHANNEL_ENRICHING}")
        finish([success(claims[0]), verdict(claims[1])])
        peer.execute(f"NOTIFY {CHANNEL_ENRICHING}, 'the last'")
        for notification in peer.notifies(timeout=PATIENCE_SECONDS):
            if notification.payload == "the last":
                break
            heard.append(notification.payload)

    assert heard == rings


@pytest.mark.parametrize(("verdict", "outcome"), [(release, Outcome.CANCELLED), (success, Outcome.STALE)])
def test_verdict_on_a_discarded_item_is_late(
    owner: User, verdict: Callable[[Claim], Verdict], outcome: Outcome
) -> None:
    item = make_item(owner)
    make_item(owner)
    claims = {claimed.item_id: claimed for claimed in claim()}
    item.discard()
    verdicts = [verdict(claims.pop(item.pk)), *map(success, claims.values())]

    finished = finish(verdicts)

    item.refresh_from_db()
    assert finished == (verdicts[:1], [])
    assert item.status == Status.DISCARDED
    assert outcomes(item) == [outcome]


def test_late_and_postponed_attempts_keep_their_reason(owner: User) -> None:
    discarded, postponed = make_item(owner), make_item(owner)
    error = {"outcome": Outcome.FAILED, "status": Status.ENRICHING, "error_code": "CODE", "error_reason": "REASON"}
    verdicts = [success(claimed, **error) for claimed in claim()]
    discarded.discard()

    finish(verdicts)

    postponed.refresh_from_db()
    assert postponed.error_reason is None
    for item in (discarded, postponed):
        assert item.attempts.get().error_reason == "REASON"


def test_postponed_item_is_no_longer_claimed(owner: User) -> None:
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


def test_result_after_takeover_is_recorded_as_stale(owner: User) -> None:
    item = make_item(owner)
    (frozen,) = claim(worker="frozen")
    expire_leases()
    (peer,) = claim(worker="peer")
    finish([success(peer, title="The peer's title")])
    item.refresh_from_db()
    item.confirm()

    late = finish([success(frozen, title="Too late", prompt_tokens=9, tags_filled=True)]).late

    item.refresh_from_db()
    assert [verdict.title for verdict in late] == ["Too late"]
    assert (item.status, item.title) == (Status.ARCHIVED, "The peer's title")
    assert outcomes(item) == [Outcome.STALE, Outcome.SUCCEEDED]
    late_attempt = item.attempts.get(outcome=Outcome.STALE)
    assert (late_attempt.prompt_tokens, late_attempt.tags_filled) == (9, True)


def test_release_after_takeover_leaves_the_attempt_lost(owner: User) -> None:
    item = make_item(owner)
    (frozen,) = claim()
    expire_leases()
    claim()

    finish([release(frozen)])

    assert outcomes(item) == [Outcome.LOST]


def test_verdicts_of_deleted_items_are_dropped(owner: User) -> None:
    kept, gone = make_item(owner), make_item(owner)
    verdicts = {claimed.item_id: success(claimed) for claimed in claim()}
    of_the_gone = verdicts[gone.pk]
    gone.delete()

    finished = finish(list(verdicts.values()))

    kept.refresh_from_db()
    assert finished == ([of_the_gone], [])
    assert kept.status == Status.READY_TO_CONFIRM
    assert EnrichmentAttempt.objects.count() == 1


def test_retried_item_keeps_its_numbered_attempts(owner: User) -> None:
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


def test_result_from_before_a_retry_is_late(owner: User) -> None:
    item = make_item(owner)
    (first,) = claim()
    Item.objects.filter(pk=item.pk).update(status=Status.FAILED, claimed_by=None, enrichment_error="CODE: by hand")
    item.refresh_from_db()
    item.retry()

    late = finish([success(first)]).late

    item.refresh_from_db()
    assert len(late) == 1
    assert item.status == Status.ENRICHING


def test_locked_item_does_not_delay_the_others(owner: User) -> None:
    held, free = make_item(owner), make_item(owner)
    claims = claim()
    verdicts = {claimed.item_id: success(claimed) for claimed in claims}

    with other_connection(autocommit=False) as other:
        other.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [held.pk])
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

"""The queue protocol against a model of it: any order of claims, verdicts, expiries and owners' actions."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from items.claims import Claim, Verdict
from items.models import EnrichmentAttempt, Item
from items.states import Action as OwnerAction
from items.states import InvalidTransition, Outcome, SourceType, Status, allowed_actions
from tests.items.queue.protocol import claim as claim_now
from tests.items.queue.protocol import finish as finish_now
from tests.items.queue.protocol import renew as renew_now

LEASE_SECONDS = 60


@dataclass
class Expected:
    """The expected state of one item."""

    status: str = Status.ENRICHING
    holder: Claim | None = None
    is_due: bool = True
    spent: int = 0
    title: str | None = None
    discarded_from: str | None = None
    redrafted_from: str | None = None
    former_title: str | None = None
    outcomes: dict[int, str] = field(default_factory=dict)  # by fencing token


class QueueMachine(RuleBasedStateMachine):
    items = Bundle("items")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.owners = list(User.objects.order_by("pk"))
        self.expected: dict[UUID, Expected] = {}
        self.titles = 0

    def teardown(self) -> None:
        Item.objects.all().delete()

    @rule(target=items, number=st.integers(0, 1))
    def capture(self, number: int) -> UUID:
        item = Item.objects.capture(owner=self.owners[number], raw_text="text")
        self.expected[item.pk] = Expected()
        return item.pk

    @rule(target=claims, limit=st.integers(1, 4))
    def claim(self, limit: int) -> Any:
        due = {pk for pk, item in self.expected.items() if item.status == Status.ENRICHING and item.is_due}

        taken = claim_now(limit, lease_seconds=LEASE_SECONDS)

        assert {claim.item_id for claim in taken} <= due
        assert len(taken) <= limit
        assert taken or not due
        for claim in taken:
            item = self.expected[claim.item_id]
            if item.holder:
                item.outcomes[item.holder.fencing_token] = Outcome.LOST
            item.holder, item.is_due, item.spent = claim, False, item.spent + 1
            assert claim.attempt == item.spent
        return taken[0] if taken else None

    @rule(pk=items)
    def time_passes_until_due(self, pk: UUID) -> None:
        """A lease runs out, or a backoff ends."""
        Item.objects.filter(pk=pk).update(available_at=timezone.now() - timedelta(hours=1))
        self.expected[pk].is_due = True

    @rule(claim=claims)
    def renew(self, claim: Claim | None) -> None:
        if claim is None:
            return
        item = self.expected[claim.item_id]
        is_held = item.holder is claim and item.status == Status.ENRICHING

        held = renew_now([claim], lease_seconds=LEASE_SECONDS)

        assert held == ({claim.item_id} if is_held else set())
        if is_held:
            item.is_due = False

    @rule(claim=claims, kind=st.sampled_from(["succeed", "fail", "postpone", "release"]))
    def finish(self, claim: Claim | None, kind: str) -> None:
        """Finish a claim, even one whose lease was lost long ago, and even twice."""
        if claim is None:
            return
        item = self.expected[claim.item_id]
        verdict = self.verdict(claim, kind)
        is_held = item.holder is claim

        late = finish_now([verdict]).late

        assert late == ([] if is_held else [verdict])
        if is_held:
            item.outcomes[claim.fencing_token] = verdict.outcome
            item.holder, item.status, item.is_due = None, verdict.status, kind == "release"
            item.spent -= verdict.is_refunded
            if kind == "succeed":
                item.former_title, item.redrafted_from = item.title or item.former_title, None
            item.title = verdict.title or item.title
        else:
            self.expect_late(item, claim, is_result=kind != "release")

    @rule(pk=items, action=st.sampled_from(["discard", "retry", "confirm", "redraft", "restore"]))
    def owner_acts(self, pk: UUID, action: str) -> None:
        item = self.expected[pk]
        allowed = OwnerAction(action) in allowed_actions(Status(item.status), redrafted_from=item.redrafted_from)
        try:
            getattr(Item.objects.get(pk=pk), action)()
        except InvalidTransition:
            assert not allowed
            return
        assert allowed
        before, item.holder = item.status, None
        match action:
            case "discard":
                item.status, item.discarded_from = Status.DISCARDED, before
            case "confirm":
                item.status = Status.ARCHIVED
            case "redraft":
                item.status, item.redrafted_from = Status.ENRICHING, before
            case "retry":
                item.status = Status.ENRICHING
            case "restore" if before == Status.DISCARDED:
                assert item.discarded_from
                item.status, item.discarded_from = item.discarded_from, None
            case "restore":
                assert item.redrafted_from
                item.status, item.redrafted_from = item.redrafted_from, None
        if item.status == Status.ENRICHING:
            item.is_due, item.spent = True, 0

    def verdict(self, claim: Claim, kind: str) -> Verdict:
        self.titles += 1
        kinds: dict[str, dict[str, Any]] = {
            "succeed": {
                "outcome": Outcome.SUCCEEDED,
                "status": Status.READY_TO_CONFIRM,
                "title": f"Title {self.titles}",
                "summary": "Summary.",
                "tags": ("a",),
                "source_type": SourceType.NOTE,
            },
            "fail": {
                "outcome": Outcome.FAILED,
                "status": Status.FAILED,
                "error_code": "CODE",
                "enrichment_error": "CODE: why",
            },
            "postpone": {
                "outcome": Outcome.FAILED,
                "status": Status.ENRICHING,
                "error_code": "CODE",
                "delay_seconds": 60,
            },
            "release": {"outcome": Outcome.RELEASED, "status": Status.ENRICHING, "is_refunded": True},
        }
        now = timezone.now()
        return Verdict(claim=claim, started_at=now, finished_at=now, **kinds[kind])

    @staticmethod
    def expect_late(item: Expected, claim: Claim, *, is_result: bool) -> None:
        known = item.outcomes.get(claim.fencing_token)
        if known is None:
            given_back = Outcome.CANCELLED if item.status == Status.DISCARDED else Outcome.LOST
            item.outcomes[claim.fencing_token] = Outcome.STALE if is_result else given_back
        elif known == Outcome.LOST and is_result:
            item.outcomes[claim.fencing_token] = Outcome.STALE

    @invariant()
    def database_says_what_the_model_says(self) -> None:
        rows = {item.pk: item for item in Item.objects.all()}
        assert rows.keys() == self.expected.keys()
        for pk, expected in self.expected.items():
            row = rows[pk]
            assert row.status == expected.status
            assert row.title == expected.title
            assert (row.discarded_from, row.redrafted_from) == (expected.discarded_from, expected.redrafted_from)
            assert (row.former_draft or {}).get("title") == expected.former_title
            assert (row.claimed_by is not None) == (expected.holder is not None)
            if row.status == Status.ENRICHING:
                assert row.attempt_count == expected.spent

    @invariant()
    def history_has_one_attempt_for_each_claim_that_ended(self) -> None:
        for pk, expected in self.expected.items():
            attempts = list(EnrichmentAttempt.objects.filter(item=pk).order_by("number"))
            assert {attempt.fencing_token: attempt.outcome for attempt in attempts} == expected.outcomes
            assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("examples", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_queue_does_what_its_model_does(owner: User, stranger: User, examples: int) -> None:
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

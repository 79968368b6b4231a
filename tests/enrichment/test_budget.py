"""The daily budget. The days of these tests are in the future, so that no midnight of ours disturbs them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from enrichment import budget
from enrichment.budget import DailyBudget
from enrichment.schemas import Usage
from items.deletion import delete_attempts
from items.models import EnrichmentAttempt, EnrichmentPause, Item
from items.pauses import ALL_OWNERS, pause_of
from items.states import Outcome, Status
from litevault.accounts.deletion import delete_user
from postgres.session import Parameters, Row
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.items.factories import make_attempt, make_item
from tests.items.queue.protocol import at_once, claim, fetch, finish, outcomes, success
from tests.plugins.worker import Database, WorkerMaker

MIDNIGHT = datetime(2040, 6, 1, tzinfo=UTC)
NOON = MIDNIGHT + timedelta(hours=12)
NEXT_MIDNIGHT = MIDNIGHT + timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def checked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "CHECK_SECONDS", 0)


def spend(user: User, *costs: str | None, finished_at: datetime = NOON) -> None:
    item = make_item(user, status=Status.ARCHIVED)
    for number, cost in enumerate(costs, start=1):
        make_attempt(item, number=number, finished_at=finished_at, cost_usd=cost and Decimal(cost))


def check(subject: DailyBudget) -> frozenset[int]:
    at_once(subject.check())
    return subject.paused


def stored() -> dict[int, datetime | None]:
    return dict(EnrichmentPause.objects.values_list("owner_id", "until"))


def make(clock: Clock, *, total: float = 0, per_owner: float = 0, using: Any = fetch) -> DailyBudget:
    return DailyBudget(using, total_usd=total, per_owner_usd=per_owner, clock=clock)


@pytest.mark.parametrize(
    ("costs", "is_spent"),
    [((), False), (("0.99999999",), False), (("0.4", "0.6"), True), (("0.4", None), False), (("2", None), True)],
)
def test_budget_is_spent_when_known_costs_reach_it(
    owner: User, clock: Clock, costs: Sequence[str | None], *, is_spent: bool
) -> None:
    spend(owner, *costs)
    subject = make(clock, total=1)

    check(subject)

    assert subject.is_spent is is_spent
    assert stored() == ({ALL_OWNERS: NEXT_MIDNIGHT} if is_spent else {})


def test_owners_are_counted_apart_and_together(owner: User, stranger: User, clock: Clock) -> None:
    spend(owner, "0.6")
    spend(stranger, "0.3")

    assert check(make(clock, per_owner=0.5)) == {owner.pk}
    assert check(make(clock, per_owner=0.5, total=1)) == {owner.pk}
    assert check(make(clock, per_owner=0.5, total=0.9)) == {owner.pk, ALL_OWNERS}
    assert stored() == {owner.pk: NEXT_MIDNIGHT, ALL_OWNERS: NEXT_MIDNIGHT}


def test_day_begins_at_midnight_utc(owner: User, clock: Clock) -> None:
    spend(owner, "5", finished_at=MIDNIGHT - timedelta(microseconds=1))
    before = check(make(clock, total=1))
    spend(owner, "5", finished_at=MIDNIGHT)
    subject = make(clock, total=1)
    spent = check(subject)

    clock.now = NEXT_MIDNIGHT

    assert not before
    assert spent == {ALL_OWNERS}
    assert not check(subject)
    assert stored() == {}


def test_midnight_is_noticed_between_two_checks(owner: User, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "CHECK_SECONDS", 3600)
    spend(owner, "5")
    subject = make(clock, total=1)
    check(subject)
    clock.now = NEXT_MIDNIGHT - timedelta(seconds=7)
    check(subject)
    was_spent, seconds = subject.is_spent, subject.seconds_until_midnight()
    clock.now = NEXT_MIDNIGHT

    check(subject)

    assert (was_spent, seconds, subject.is_spent) == (True, 7, False)


class Watched:
    """Runs statements, and notes which hours are read, and from which attempt on."""

    def __init__(self) -> None:
        self.hours: list[datetime] = []
        self.after_ids: list[int] = []

    async def fetch(self, statement: str, parameters: Parameters) -> list[Row]:
        if "start" in parameters:
            self.hours.append(parameters["start"])
        if "after_id" in parameters:
            self.after_ids.append(parameters["after_id"])
        return await fetch(statement, parameters)


@pytest.fixture
def few_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "NEWEST_ATTEMPTS", 3)


@pytest.mark.parametrize("limits", [{"total": 7.5}, {"per_owner": 7.5}])
def test_later_checks_read_only_the_newest_attempts(
    owner: User, clock: Clock, few_newest: None, limits: dict[str, float]
) -> None:
    for minutes in range(0, 12 * 60, 45):
        spend(owner, "0.25", finished_at=MIDNIGHT + timedelta(minutes=minutes))
    database = Watched()
    subject = make(clock, using=database.fetch, **limits)
    found = [check(subject)]
    first_hours = list(database.hours)
    for _ in range(13):
        spend(owner, "0.25")
        found.append(check(subject))

    spend(owner, "0.25")

    assert not any(found), "7.25 in 29 attempts"
    assert check(subject)
    assert database.hours == first_hours
    newest = EnrichmentAttempt.objects.latest("id").pk
    assert database.after_ids[-1] >= newest - 2 * budget.NEWEST_ATTEMPTS


def test_two_workers_agree_on_verdicts_that_were_written_late(owner: User, clock: Clock, few_newest: None) -> None:
    running = make(clock, total=1)
    spend(owner, *["0.01"] * 20)
    check(running)

    spend(owner, "0.9", finished_at=MIDNIGHT)

    assert check(running) == check(make(clock, total=1)) == {ALL_OWNERS}


@pytest.mark.parametrize("is_purged", [True, False])
def test_two_workers_agree_on_costs_of_deleted_attempts(
    owner: User, stranger: User, clock: Clock, few_newest: None, *, is_purged: bool
) -> None:
    running = make(clock, total=1)
    spend(owner, *["0.04"] * 20)
    spend(stranger, "0.1")
    check(running)

    if is_purged:
        sum(deleted.attempts for deleted in delete_attempts(before=NEXT_MIDNIGHT))
    else:
        delete_user(owner)
    before = [check(running), check(make(clock, total=1))]
    spend(stranger, "0.1")

    assert before == [frozenset(), frozenset()]
    assert check(running) == check(make(clock, total=1)) == {ALL_OWNERS}


def test_deleted_attempts_of_other_days_do_not_count(owner: User, clock: Clock) -> None:
    spend(owner, "5", finished_at=MIDNIGHT - timedelta(hours=1))
    spend(owner, "5", finished_at=NEXT_MIDNIGHT)

    delete_user(owner)

    assert not check(make(clock, total=1))


def test_cost_of_a_lost_attempt_that_was_answered_late_counts(owner: User, clock: Clock, few_newest: None) -> None:
    item = make_item(owner, available_at=NOON.replace(year=2020))
    (lost,) = claim(worker="slow", lease_seconds=0)
    (claimed,) = claim(worker="quick")
    finish([success(claimed)])
    spend(owner, *["0.01"] * 20)
    running = make(clock, total=1)
    check(running)

    finish([success(lost, started_at=NOON, finished_at=NOON, cost_usd=Decimal("0.9"))])

    assert outcomes(item) == [Outcome.STALE, Outcome.SUCCEEDED]
    assert check(running) == {ALL_OWNERS}


def test_day_is_read_again_after_a_failover_that_lost_attempts(owner: User, clock: Clock, few_newest: None) -> None:
    spend(owner, *["0.04"] * 20)
    subject = make(clock, total=1)
    check(subject)
    EnrichmentAttempt.objects.filter(number__gt=1).delete()

    spend(owner, "0.3")

    assert not check(subject)


def test_pauses_end_when_the_budget_is_raised_or_removed(owner: User, clock: Clock) -> None:
    spend(owner, "2")
    check(make(clock, total=1, per_owner=1))
    check(make(clock, total=3, per_owner=1))
    raised = stored()

    check(make(clock))

    assert list(raised) == [owner.pk]
    assert stored() == {}


def test_without_a_budget_costs_are_not_read(owner: User, clock: Clock) -> None:
    database = Watched()

    check(make(clock, using=database.fetch))

    assert database.hours == database.after_ids == []


def test_pause_that_is_recorded_already_is_not_written_again(owner: User, clock: Clock) -> None:
    spend(owner, "2")
    check(make(clock, total=1))
    before = at_once(fetch("SELECT xmin::text, xmax::text, ctid::text FROM enrichment_pauses", {}))

    check(make(clock, total=1))

    assert at_once(fetch("SELECT xmin::text, xmax::text, ctid::text FROM enrichment_pauses", {})) == before


async def test_items_wait_for_midnight_while_the_budget_is_spent(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enrichment.worker.DailyBudget", partial(DailyBudget, clock=clock))
    await database.run(lambda: spend(owner, "2"))

    async with working(provider, daily_budget_usd=1) as worker:
        items = await database.capture(owner, "one", "two")
        await database.until(lambda: pause_of(owner.pk) is not None)
        worker.wake()
        waiting = [await database.read(item) for item in items]
        clock.now = NEXT_MIDNIGHT
        worker.wake()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert {(item.status, item.attempt_count, item.enrichment_error) for item in waiting} == {
        (Status.ENRICHING, 0, None)
    }
    assert await database.outcomes(items[0]) == [(Outcome.SUCCEEDED, None)]


async def test_other_owners_go_on_while_one_has_to_wait(
    owner: User,
    stranger: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enrichment.worker.DailyBudget", partial(DailyBudget, clock=clock))
    monkeypatch.setattr("enrichment.worker.OWNER_PAUSE_SECONDS", 0.01)
    await database.run(lambda: spend(owner, "2"))
    (waiting,) = await database.capture(owner, "waiting")

    async with working(provider, listens=False, daily_budget_per_owner_usd=1):
        for number in range(3):
            (free,) = await database.capture(stranger, f"free {number}")
            await database.reaches(free, Status.READY_TO_CONFIRM)
        status = (await database.read(waiting)).status
        clock.now = NEXT_MIDNIGHT
        await database.reaches(waiting, Status.READY_TO_CONFIRM)

    assert status == Status.ENRICHING
    assert provider.calls[-1] == "waiting"


async def test_workers_stop_at_the_budget_that_they_share(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    price = Usage(model="scripted", cost_usd=Decimal("0.1"))
    texts = [f"text {number}" for number in range(40)]
    provider.script = {text: [replace(draft(), usage=price)] for text in texts}
    await database.capture(owner, *texts)

    async with (
        working(provider, worker_id="one", concurrency=2, daily_budget_usd=1),
        working(provider, worker_id="two", concurrency=2, daily_budget_usd=1),
    ):
        await database.until(lambda: pause_of(owner.pk) is not None)
        await database.until(lambda: not Item.objects.exclude(claimed_by=None).exists())
        enriched = await database.run(Item.objects.filter(status=Status.READY_TO_CONFIRM).count)

    assert enriched == len(provider.calls)
    assert 10 <= enriched < 40

"""What the worker promises about an item, with a real database and a scripted provider."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enrichment.errors import (
    EnrichmentError,
    Interrupted,
    InvalidOutput,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    UnexpectedFailure,
)
from enrichment.schemas import EnrichmentResult, Usage
from items.models import Item
from items.states import Outcome, SourceType, Status
from tests.enrichment.conftest import Database, ScriptedProvider, WorkerMaker, draft, until
from tests.items.other_connection import other_connection

SPENT = Usage(model="scripted", prompt_tokens=900, completion_tokens=90, cost_usd=Decimal("0.0012"))
QUICK_LEASE = {"lease_seconds": 1, "sweep_seconds": 0.2}


async def test_captured_item_becomes_ready_to_confirm(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    async with working(provider):
        (item,) = await database.capture(owner, "some text")

        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    (attempt,) = await database.attempts(item)
    assert (item.title, item.summary, item.tags) == ("A title", "A summary.", ["one", "two", "three"])
    assert (item.source_type, item.enrichment_error, item.claimed_by) == (SourceType.NOTE, None, None)
    assert (attempt.number, attempt.outcome, attempt.worker) == (1, Outcome.SUCCEEDED, "test")
    assert (attempt.model, attempt.prompt_tokens, attempt.completion_tokens) == ("scripted", 7, 3)


async def test_items_that_waited_before_the_start_are_enriched(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    items = await database.capture(owner, *[f"text {number}" for number in range(10)])

    async with working(provider, listens=False):
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert sorted(provider.calls) == sorted(item.raw_text for item in items)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidOutput(), InvalidOutput().message),
        (ProviderRefused(), ProviderRefused().message),
        (UnexpectedFailure(), UnexpectedFailure().message),
        (ValueError("private: the user's text"), UnexpectedFailure().message),
        (RecursionError(), UnexpectedFailure().message),
        (asyncio.CancelledError(), UnexpectedFailure().message),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_permanent_error_fails_the_item_at_once_with_a_fixed_sentence(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    error: BaseException,
    message: str,
) -> None:
    provider.script["bad"] = [error]

    async with working(provider):
        bad, good = await database.capture(owner, "bad", "good")
        bad = await database.reaches(bad, Status.FAILED)
        await database.reaches(good, Status.READY_TO_CONFIRM)

    assert bad.enrichment_error == message
    assert await database.outcomes(bad) == [(Outcome.FAILED, message.partition(":")[0])]
    assert provider.calls.count("bad") == 1


@pytest.mark.parametrize("kind", [ProviderTimeout, ProviderUnavailable])
async def test_transient_error_is_tried_again_until_the_budget_is_spent(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, kind: type[EnrichmentError]
) -> None:
    provider.script["bad"] = [kind()]

    async with working(provider, enrich={"max_attempts": 2}):
        (item,) = await database.capture(owner, "bad")
        item = await database.reaches(item, Status.FAILED)

    assert item.enrichment_error == kind().message
    assert await database.outcomes(item) == [(Outcome.FAILED, kind.code)] * 2


async def test_transient_error_heals_without_anybody_doing_anything(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    usage = Usage(model="first", prompt_tokens=5)
    provider.script["text"] = [ProviderUnavailable(usage=usage), draft()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    failed, succeeded = await database.attempts(item)
    assert (failed.outcome, failed.model, failed.prompt_tokens) == (Outcome.FAILED, "first", 5)
    assert succeeded.outcome == Outcome.SUCCEEDED


async def test_pause_that_the_provider_asked_for_is_kept(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [ProviderUnavailable(retry_after=600)]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.until(lambda: item.attempts.count() == 1)

    item = await database.read(item)
    assert item.status == Status.ENRICHING
    assert item.available_at > timezone.now() + timedelta(seconds=500)


async def test_provider_that_never_answers_is_given_up_at_the_deadline(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, deadline_seconds=0.1, enrich={"max_attempts": 1}):
        (item,) = await database.capture(owner, "text")
        item = await database.reaches(item, Status.FAILED)

    assert item.enrichment_error == ProviderTimeout().message


async def test_item_that_killed_every_worker_is_abandoned_without_another_call(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    (item,) = await database.capture(owner, "text")
    await database.run(
        lambda: Item.objects.filter(pk=item.pk).update(
            attempt_count=3, claimed_by="dead", claimed_at=timezone.now(), fencing_token=3
        )
    )

    async with working(provider):
        item = await database.reaches(item, Status.FAILED)

    assert item.error_code == "ENRICHMENT_ABANDONED"
    assert await database.outcomes(item) == [(Outcome.LOST, None), (Outcome.FAILED, "ENRICHMENT_ABANDONED")]
    assert provider.calls == []


async def test_discarded_item_is_not_enriched(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    discarded, kept = await database.capture(owner, "discarded", "kept")
    await database.run(discarded.discard)

    async with working(provider):
        await database.reaches(kept, Status.READY_TO_CONFIRM)

    assert provider.calls == ["kept"]
    assert await database.attempts(discarded) == []


async def test_discard_cancels_the_call_in_flight(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        await until(lambda: provider.cancelled == ["text"])
        await database.until(item.attempts.exists)

    item = await database.read(item)
    assert (item.status, item.title) == (Status.DISCARDED, None)
    assert await database.outcomes(item) == [(Outcome.CANCELLED, None)]


class PaidProvider(ScriptedProvider):
    """Has had an answer of no use already when it is cancelled."""

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        try:
            return await super().enrich_item(text, vocabulary=vocabulary)
        except asyncio.CancelledError:
            pass
        raise Interrupted(SPENT)


async def test_answers_before_a_discard_are_accounted_for(
    owner: User, database: Database, working: WorkerMaker
) -> None:
    provider = PaidProvider()
    provider.script["text"] = [asyncio.Event()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        await database.until(item.attempts.exists)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.prompt_tokens, attempt.cost_usd) == (Outcome.CANCELLED, 900, SPENT.cost_usd)
    assert (await database.read(item)).status == Status.DISCARDED


async def test_interruption_that_nobody_asked_for_counts_as_a_timeout(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [Interrupted(SPENT)]

    async with working(provider, enrich={"max_attempts": 1}):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.FAILED)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.error_code) == (Outcome.FAILED, "LLM_TIMEOUT")
    assert attempt.prompt_tokens == 900


async def test_result_is_dropped_when_item_was_discarded(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    # Without a listener the worker does not hear of the discard, and the answer arrives.
    async with working(provider, listens=False, enrich={"sweep_seconds": 0.1}):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(item.discard)
        answer.set()
        await database.until(item.attempts.exists)

    item = await database.read(item)
    assert (item.status, item.title) == (Status.DISCARDED, None)
    assert await database.outcomes(item) == [(Outcome.STALE, None)]


async def test_discard_that_nobody_told_of_is_found_when_notifications_come_again(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, listens=False, enrich={"lease_seconds": 3600}) as worker:
        (item,) = await database.capture(owner, "text")
        worker.wake()
        await until(lambda: provider.running == 1)
        await database.run(item.discard)

        worker.notifications_work(True)

        await until(lambda: provider.cancelled == ["text"])


async def test_item_that_somebody_has_locked_holds_up_no_other(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["locked"] = [answer]

    async with working(provider):
        locked, free = await database.capture(owner, "locked", "free")
        await until(lambda: provider.running == 1)
        with other_connection(autocommit=False) as somebody:
            somebody.execute("SELECT FROM items WHERE id = %s FOR UPDATE", [locked.pk])
            answer.set()
            await database.reaches(free, Status.READY_TO_CONFIRM)
            (later,) = await database.capture(owner, "later")
            await database.reaches(later, Status.READY_TO_CONFIRM)
        await database.reaches(locked, Status.READY_TO_CONFIRM)

    assert await database.outcomes(locked) == [(Outcome.SUCCEEDED, None)]


async def test_concurrency_reaches_its_limit_and_never_passes_it(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    texts = [f"text {number}" for number in range(30)]
    provider.script = {text: [gate] for text in texts}

    async with working(provider, concurrency=5):
        items = await database.capture(owner, *texts)
        await until(lambda: provider.running == 5)
        claimed = await database.run(Item.objects.filter(claimed_by="test").count)
        gate.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert provider.most_running == 5
    assert claimed <= 6, "one more than the slots may be claimed ahead"
    assert len(provider.calls) == 30


async def test_lease_is_renewed_for_as_long_as_the_call_takes(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    lease = {"lease_seconds": 3, "sweep_seconds": 0.2}

    async with working(provider, enrich=lease), working(provider, worker_id="peer", enrich=lease):
        (item,) = await database.capture(owner, "text")
        await database.until(lambda: Item.objects.filter(pk=item.pk, claimed_by__isnull=False).exists())
        claimed = await database.read(item)
        await database.until(
            lambda: Item.objects.get(pk=item.pk).available_at > claimed.available_at + timedelta(seconds=1)
        )
        answer.set()
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert [attempt.worker for attempt in await database.attempts(item)] == [claimed.claimed_by]


async def test_worker_that_lost_its_lease_stops_working_on_the_item(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, enrich=QUICK_LEASE):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(
            lambda: Item.objects.filter(pk=item.pk).update(
                fencing_token=99, claimed_by="peer", available_at=timezone.now() + timedelta(hours=1)
            )
        )
        await until(lambda: provider.cancelled == ["text"])

    item = await database.read(item)
    assert (item.status, item.claimed_by) == (Status.ENRICHING, "peer")


async def test_answer_that_comes_after_the_item_was_taken_over_is_accounted_for(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
        await database.run(lambda: Item.objects.filter(pk=item.pk).update(fencing_token=99, claimed_by="peer"))
        answer.set()
        await database.until(item.attempts.exists)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.model) == (Outcome.STALE, "scripted")
    assert (attempt.prompt_tokens, attempt.completion_tokens) == (7, 3)
    assert (await database.read(item)).title is None


async def test_answer_of_no_use_is_accounted_for(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [ProviderUnavailable(usage=SPENT, retry_after=0), InvalidOutput(usage=SPENT)]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.FAILED)
        attempts = await database.attempts(item)

    assert [(attempt.outcome, attempt.prompt_tokens) for attempt in attempts] == [(Outcome.FAILED, 900)] * 2
    assert sum(attempt.cost_usd or 0 for attempt in attempts) == Decimal("0.0024")


async def test_result_that_the_database_refuses_fails_that_item_alone(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["bad"] = [draft(title="x" * 101)]
    gate = asyncio.Event()
    provider.script["good"] = [gate]

    async with working(provider):
        bad, good = await database.capture(owner, "bad", "good")
        await until(lambda: provider.running == 1)
        gate.set()
        bad = await database.reaches(bad, Status.FAILED)
        await database.reaches(good, Status.READY_TO_CONFIRM)

        (attempt,) = await database.attempts(bad)

    assert bad.error_code == "LLM_VALIDATION_ERROR"
    assert (attempt.outcome, attempt.prompt_tokens, attempt.completion_tokens) == (Outcome.FAILED, 7, 3)


async def test_drain_finishes_what_is_in_flight_and_claims_no_more(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["first"] = [answer]

    async with working(provider) as worker:
        (first,) = await database.capture(owner, "first")
        await until(lambda: provider.running == 1)
        worker.drain()
        # A claim that was under way at that moment may still take what is there.
        await worker._database.run(lambda: None)
        (second,) = await database.capture(owner, "second")
        answer.set()
        await database.reaches(first, Status.READY_TO_CONFIRM)

    second = await database.read(second)
    assert (second.status, second.attempt_count) == (Status.ENRICHING, 0)
    assert provider.calls == ["first"]


async def test_released_item_is_taken_up_at_once_by_a_peer_and_costs_no_attempt(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]
    peer = ScriptedProvider()

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running == 1)
    released = await database.read(item)
    async with working(peer, worker_id="peer"):
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert (released.status, released.attempt_count, released.claimed_by) == (Status.ENRICHING, 0, None)
    assert released.available_at <= timezone.now()
    assert await database.outcomes(item) == [(Outcome.RELEASED, None), (Outcome.SUCCEEDED, None)]


async def test_worker_exits_when_nothing_is_due(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    later, *due = await database.capture(owner, "later", "a", "b", "c", "d", "e")
    await database.run(
        lambda: Item.objects.filter(pk=later.pk).update(available_at=timezone.now() + timedelta(hours=1))
    )

    async with asyncio.timeout(10), working(provider, exits_when_idle=True, listens=False):
        for item in due:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert sorted(provider.calls) == ["a", "b", "c", "d", "e"]


async def test_worker_stops_after_the_number_of_items_it_was_given(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    await database.capture(owner, *[f"text {number}" for number in range(5)])

    async with working(provider, max_items=2):
        await database.until(lambda: Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 2)

    assert len(provider.calls) == 2


async def test_outage_of_the_provider_burns_no_budget(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    texts = [f"text {number}" for number in range(20)]
    provider.script = {text: [ProviderUnavailable()] for text in texts}

    async with working(provider, concurrency=5, enrich={"max_attempts": 1}) as worker:
        items = await database.capture(owner, *texts)
        await until(lambda: worker._breaker.is_open and not provider.running)
        calls_when_it_opened = len(provider.calls)
        provider.script = {}
        for item in items:
            await database.until(lambda pk=item.pk: Item.objects.get(pk=pk).status != Status.ENRICHING)  # type: ignore[misc]
        statuses = await database.run(lambda: list(Item.objects.values_list("status", flat=True)))

    assert calls_when_it_opened < 20, "the breaker should have held items back"
    assert statuses.count(Status.FAILED) <= 5, "only items that failed before it opened may have spent their budget"
    assert statuses.count(Status.READY_TO_CONFIRM) >= 15


async def test_owner_limit_holds_and_lets_other_owners_through(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    texts = [f"text {number}" for number in range(10)]
    provider.script = {text: [gate] for text in texts}

    async with working(provider, concurrency=5, enrich={"per_owner_concurrency": 2}):
        items = await database.capture(owner, *texts)
        await until(lambda: provider.running == 2)
        (other,) = await database.capture(stranger, "other")
        await database.reaches(other, Status.READY_TO_CONFIRM)
        running = provider.running
        gate.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert running == 2
    assert provider.most_running == 3


async def test_log_says_what_happened_and_nothing_of_the_text(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    capfd: pytest.CaptureFixture[str],
) -> None:
    provider.script["canary-text"] = [ValueError("canary-exception"), draft("canary-title")]

    async with working(provider):
        (item,) = await database.capture(owner, "canary-text")
        await database.reaches(item, Status.FAILED)

    said = "".join(capfd.readouterr())
    assert "enrichment.failed" in said
    assert "ValueError" in said
    assert "canary" not in said


async def test_worker_that_hears_nothing_any_more_sweeps_from_then_on(
    owner: User, database: Database, provider: ScriptedProvider, working: WorkerMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enrichment.worker.DEGRADED_SWEEP_SECONDS", 0.05)

    (first,) = await database.capture(owner, "found at the start")

    async with working(provider, listens=False, enrich={"sweep_seconds": 3600}) as worker:
        await database.reaches(first, Status.READY_TO_CONFIRM)
        (item,) = await database.capture(owner, "not heard")

        worker.notifications_work(False)

        await database.reaches(item, Status.READY_TO_CONFIRM)

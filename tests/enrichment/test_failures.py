"""The outcome for an item whose provider fails or sends a useless reply."""

import asyncio
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
    RateLimited,
    UnexpectedFailure,
)
from enrichment.schemas import Usage
from items.models import Item
from items.states import Outcome, Status
from postgres.backoff import Backoff
from tests.enrichment.scripted import SPENT, ScriptedProvider, draft
from tests.enrichment.test_errors import ERRORS
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker

WILD_ERRORS = (ConnectionError(), TimeoutError(), KeyError("private"), asyncio.CancelledError(), Interrupted(SPENT))


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
async def test_permanent_error_fails_the_item_with_a_fixed_sentence(
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
async def test_transient_error_is_retried_until_the_last_attempt(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, kind: type[EnrichmentError]
) -> None:
    provider.script["bad"] = [kind()]

    async with working(provider, enrich={"max_attempts": 2}):
        (item,) = await database.capture(owner, "bad")
        item = await database.reaches(item, Status.FAILED)

    assert item.enrichment_error == kind().message
    assert await database.outcomes(item) == [(Outcome.FAILED, kind.reason.code)] * 2


async def test_transient_error_heals_by_itself(
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


async def test_retry_after_of_the_provider_is_respected(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [ProviderUnavailable(retry_after=600)]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.until(lambda: item.attempts.count() == 1)

    item = await database.read(item)
    assert item.status == Status.ENRICHING
    assert item.available_at > timezone.now() + timedelta(seconds=500)


async def test_silent_provider_times_out_at_the_deadline(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [asyncio.Event()]

    async with working(provider, deadline_seconds=0.1, enrich={"max_attempts": 1}):
        (item,) = await database.capture(owner, "text")
        item = await database.reaches(item, Status.FAILED)

    assert item.enrichment_error == ProviderTimeout().message


async def test_unexpected_interruption_counts_as_a_timeout(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [Interrupted(SPENT)]

    async with working(provider, enrich={"max_attempts": 1}):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.FAILED)

    (attempt,) = await database.attempts(item)
    assert (attempt.outcome, attempt.error_code) == (Outcome.FAILED, "LLM_TIMEOUT")
    assert attempt.prompt_tokens == 900


async def test_item_that_killed_every_worker_is_abandoned(
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

    assert item.error_reason == "ABANDONED"
    assert await database.outcomes(item) == [(Outcome.LOST, None), (Outcome.FAILED, "ENRICHMENT_ABANDONED")]
    assert provider.calls == []


async def test_outage_of_the_provider_costs_no_attempts(
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


async def test_no_error_keeps_an_item_enriching_for_ever(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enrichment.verdicts.BACKOFF", Backoff(first_seconds=0.01, longest_seconds=0.01))
    monkeypatch.setattr("enrichment.breaker.BACKOFF", Backoff(first_seconds=0.01, longest_seconds=0.01))
    errors = [kind() for kind in ERRORS]
    provider.script = {type(error).__name__: [error] for error in (*errors, *WILD_ERRORS)}

    async with working(provider, concurrency=10, enrich={"max_attempts": 2, "max_refunds": 3}):
        items = await database.capture(owner, *provider.script)
        for item in items:
            failed = await database.reaches(item, Status.FAILED)
            attempts = await database.attempts(item)
            assert failed.refund_count <= 3
            assert len(attempts) == failed.attempt_count + failed.refund_count

    for error in errors:
        item = await database.read(next(item for item in items if item.raw_text == type(error).__name__))
        assert item.enrichment_error == error.message


async def test_retry_resets_the_refunds(
    owner: User,
    database: Database,
    working: WorkerMaker,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enrichment.verdicts.BACKOFF", Backoff(first_seconds=0.01, longest_seconds=0.01))
    provider.script["text"] = [RateLimited(), InvalidOutput()]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        item = await database.reaches(item, Status.FAILED)
        refunds = item.refund_count
        await database.run(item.retry)
        item = await database.reaches(item, Status.FAILED)

    assert (refunds, item.refund_count) == (1, 0)


async def test_useless_reply_is_accounted_for(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [ProviderUnavailable(usage=SPENT, retry_after=0), InvalidOutput(usage=SPENT)]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.FAILED)
        attempts = await database.attempts(item)

    assert [(attempt.outcome, attempt.prompt_tokens) for attempt in attempts] == [(Outcome.FAILED, 900)] * 2
    assert sum(attempt.cost_usd or 0 for attempt in attempts) == Decimal("0.0024")


async def test_draft_refused_by_the_database_fails_only_its_item(
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

    assert bad.error_reason == "INVALID_OUTPUT"
    assert (attempt.outcome, attempt.prompt_tokens, attempt.completion_tokens) == (Outcome.FAILED, 7, 3)

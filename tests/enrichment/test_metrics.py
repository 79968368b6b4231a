"""The metrics of a worker, with a real database and a scripted provider."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection

from enrichment import metrics
from enrichment.errors import InvalidOutput, KeyRefused, ProviderUnavailable
from enrichment.schemas import Usage
from items.models import Item
from items.queue import LISTENER_NAME
from items.reasons import Reason
from items.states import Outcome, Status
from postgres.backoff import Backoff
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker

SPENT = Usage(model="metered", prompt_tokens=900, completion_tokens=90, cost_usd=Decimal("0.0012"))


def metric(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


class Since:
    """The growth of a counter, which cannot be reset."""

    def __init__(self) -> None:
        self._before = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for metric in metrics.REGISTRY.collect()
            for sample in metric.samples
        }

    def grew(self, name: str, **labels: str) -> float:
        return metric(name, **labels) - self._before.get((name, *sorted(labels.items())), 0.0)


@pytest.fixture
def since() -> Since:
    return Since()


async def test_success_is_counted_with_its_duration_and_cost(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    provider.script["text"] = [draft()]
    provider.script["metered"] = [replace(draft(), usage=SPENT)]
    async with working(provider):
        for item in await database.capture(owner, "text", "metered"):
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert since.grew("litevault_claims_total") == 2
    assert since.grew("litevault_attempts_total", outcome="SUCCEEDED", error_code="", error_reason="") == 2
    assert since.grew("litevault_attempt_duration_seconds_count", outcome="SUCCEEDED") == 2
    assert since.grew("litevault_tokens_total", model="metered", direction="prompt") == 900
    assert since.grew("litevault_tokens_total", model="metered", direction="completion") == 90
    assert since.grew("litevault_cost_usd_total", model="metered") == pytest.approx(0.0012)
    assert since.grew("litevault_attempts_without_price_total", model="metered") == 0


async def test_attempts_without_a_price_are_counted(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    provider.script["no price"] = [replace(draft(), usage=Usage(model="new", prompt_tokens=9, completion_tokens=1))]
    provider.script["free"] = [replace(draft(), usage=Usage(model="new", prompt_tokens=9, cost_usd=Decimal(0)))]
    provider.script["no reply"] = [KeyRefused(usage=Usage(model="new"))]
    async with working(provider):
        priceless, free, refused = await database.capture(owner, "no price", "free", "no reply")
        await database.reaches(priceless, Status.READY_TO_CONFIRM)
        await database.reaches(free, Status.READY_TO_CONFIRM)
        await database.reaches(refused, Status.FAILED)

    assert since.grew("litevault_attempts_without_price_total", model="new") == 1


def test_series_of_every_error_reason_start_at_zero() -> None:
    samples = [sample for metric in metrics.REGISTRY.collect() for sample in metric.samples]

    failed = [sample.labels for sample in samples if sample.labels.get("outcome") == Outcome.FAILED]
    reasons = {(labels["error_code"], labels["error_reason"]) for labels in failed if "error_code" in labels}

    assert reasons == {(reason.code, reason.value) for reason in Reason}


async def test_discarded_item_is_counted_as_cancelled(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    provider.script["text"] = [asyncio.Event()]
    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: provider.running)

        await database.run(item.discard)

        await until(
            lambda: since.grew("litevault_attempts_total", outcome=Outcome.CANCELLED, error_code="", error_reason="")
        )
    assert since.grew("litevault_stale_results_total") == 0


async def test_failure_is_counted_under_its_code(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    provider.script["text"] = [InvalidOutput()]
    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.FAILED)

    labels = {"outcome": "FAILED", "error_code": "LLM_VALIDATION_ERROR", "error_reason": "INVALID_OUTPUT"}
    assert since.grew("litevault_attempts_total", **labels) == 1


async def test_items_in_flight_are_counted(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]
    before = metric("litevault_worker_items_in_flight")
    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await until(lambda: metric("litevault_worker_items_in_flight") == before + 1)
        answer.set()
        await database.reaches(item, Status.READY_TO_CONFIRM)
        await until(lambda: metric("litevault_worker_items_in_flight") == before)


async def test_result_of_a_discarded_item_is_counted_as_stale(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    answer = asyncio.Event()
    provider.script["text"] = [answer]
    (item,) = await database.capture(owner, "text")
    async with working(provider, listens=False):
        await until(lambda: provider.running)
        # Without triggers, so that the call is not cancelled.
        await database.run(lambda: Item.objects.filter(pk=item.pk).update(fencing_token=2**40))
        answer.set()
        await until(lambda: since.grew("litevault_stale_results_total"))

    assert since.grew("litevault_stale_results_total") == 1
    assert since.grew("litevault_attempts_total", outcome=Outcome.STALE, error_code="", error_reason="") == 1


async def test_lost_lease_is_counted(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    provider.script["text"] = [asyncio.Event()]
    (item,) = await database.capture(owner, "text")
    async with working(provider, listens=False, enrich={"lease_seconds": 1}):
        await until(lambda: provider.running)
        await database.run(lambda: Item.objects.filter(pk=item.pk).update(fencing_token=2**40))
        await until(lambda: since.grew("litevault_leases_lost_total"))

    assert since.grew("litevault_leases_lost_total") == 1


async def test_outage_is_reported_until_the_provider_responds(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enrichment.breaker.BACKOFF", Backoff(first_seconds=0.05, longest_seconds=30))
    monkeypatch.setattr("enrichment.verdicts.BACKOFF", Backoff(first_seconds=0.01, longest_seconds=120))
    texts = [f"text {number}" for number in range(6)]
    is_back = asyncio.Event()

    async def answer(text: str, *, vocabulary: object = ()) -> object:
        if not is_back.is_set():
            raise ProviderUnavailable
        return draft()

    monkeypatch.setattr(provider, "enrich_item", answer)
    async with working(provider):
        items = await database.capture(owner, *texts)
        await until(lambda: metric("litevault_provider_down") == 1)
        is_back.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert metric("litevault_provider_down") == 0


async def test_broken_listen_connection_is_reported_and_counted(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider, since: Since
) -> None:
    async with working(provider):
        await database.until(lambda: cut_off(LISTENER_NAME))

        await until(lambda: since.grew("litevault_listen_reconnects_total"))

        assert metric("litevault_notify_healthy") == 1
        assert since.grew("litevault_listen_reconnects_total") == 1


def cut_off(name: str) -> bool:
    """End the connections of that name. Return False if there are none yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [name],
        )
        return bool(cursor.fetchall())

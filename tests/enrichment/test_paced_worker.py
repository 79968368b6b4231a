"""A worker whose provider is held back by a rate limit."""

import asyncio
import math
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enrichment import metrics, verdicts
from enrichment.errors import EnrichmentError, ProviderUnavailable, RateLimited
from enrichment.providers.base import RateLimit
from items.models import Item
from items.states import Status
from tests.enrichment.scripted import ScriptedProvider
from tests.enrichment.verdicts import a_verdict
from tests.enrichment.waiting import until
from tests.plugins.worker import Database, WorkerMaker


class PacedProvider(ScriptedProvider):
    def __init__(self, capacity: float) -> None:
        super().__init__()
        self.most = capacity

    def capacity(self) -> float:
        return self.most

    def rate_limits(self) -> list[RateLimit]:
        return [RateLimit("paced", 12.0, 34)]


async def test_no_more_items_are_claimed_than_can_be_sent_soon(
    owner: User, database: Database, working: WorkerMaker
) -> None:
    provider, answer = PacedProvider(2), asyncio.Event()
    texts = [f"text {number}" for number in range(6)]
    provider.script = {text: [answer] for text in texts}
    items = await database.capture(owner, *texts)

    async with working(provider, concurrency=5, listens=False, enrich={"sweep_seconds": 3600}):
        await until(lambda: provider.running == 2)
        claimed = await database.run(Item.objects.filter(claimed_by="test").count)
        provider.most = math.inf
        await until(lambda: provider.running == 5)
        answer.set()
        for item in items:
            await database.reaches(item, Status.READY_TO_CONFIRM)

    assert claimed == 2


async def test_items_are_claimed_when_the_gate_opens(owner: User, database: Database, working: WorkerMaker) -> None:
    provider = PacedProvider(0)
    (item,) = await database.capture(owner, "text")

    async with working(provider, listens=False, exits_when_idle=True, enrich={"sweep_seconds": 3600}) as worker:
        await until(lambda: worker._is_backlogged)
        claimed = await database.run(Item.objects.filter(claimed_by="test").count)
        provider.most = 1
        await database.reaches(item, Status.READY_TO_CONFIRM)

    assert claimed == 0


async def test_rate_limited_item_waits_for_the_gate_and_is_refunded(
    owner: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    provider.script["text"] = [RateLimited(retry_after=600)]

    async with working(provider, enrich={"max_attempts": 1}):
        (item,) = await database.capture(owner, "text")
        await database.until(lambda: item.attempts.count() == 1)

    item = await database.read(item)
    assert (item.status, item.attempt_count, item.refund_count) == (Status.ENRICHING, 0, 1)
    assert 500 < (item.available_at - timezone.now()).total_seconds() <= 600


@pytest.mark.parametrize(
    ("error", "exact"),
    [
        (RateLimited(retry_after=0.5), True),
        (RateLimited(), False),
        (ProviderUnavailable(retry_after=0.5), False),
    ],
)
def test_only_the_time_of_a_rate_limit_is_exact(error: EnrichmentError, exact: bool) -> None:
    claim = replace(a_verdict().claim, attempt=1, refunds=9)

    verdict = verdicts.postponed(claim, timezone.now(), error, is_refunded=True)

    assert (verdict.delay_seconds == 0.5) is exact
    assert exact or verdict.delay_seconds > 100


def test_pace_and_refusals_of_each_model_are_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.rate_limits, "_provider", None)
    metrics.rate_limits.follow(PacedProvider(1))

    values = [
        metrics.REGISTRY.get_sample_value(name, {"model": "paced"})
        for name in ("litevault_pace_requests_per_minute", "litevault_rate_limited_total")
    ]

    assert values == [12, 34]

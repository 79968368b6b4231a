"""Prometheus metrics of one worker since its start.

Nothing is read from the database. The web server has the metrics of the queue: litevault/operations/metrics.py.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from enrichment.providers.base import EnrichmentProvider
from items.claims import Finished, Verdict
from items.reasons import Reason
from items.states import Outcome
from postgres.listener_metrics import ListenerMetrics
from postgres.metrics_server import BuildInfo

# From the fastest response of a small local model to the longest deadline.
DURATION_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type for it
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REGISTRY.register(BuildInfo())

slots = Gauge("litevault_worker_slots", "How many items this worker enriches at the same time.", registry=REGISTRY)
in_flight = Gauge(
    "litevault_worker_items_in_flight",
    "Claimed and unfinished items, including those claimed ahead.",
    registry=REGISTRY,
)
claims = Counter("litevault_claims", "Items claimed.", registry=REGISTRY)
attempts = Counter(
    "litevault_attempts",
    "Attempts whose verdict was written.",
    ["outcome", "error_code", "error_reason"],
    registry=REGISTRY,
)
durations = Histogram(
    "litevault_attempt_duration_seconds",
    "How long attempts took, from the start of the call to its end.",
    ["outcome"],
    buckets=DURATION_BUCKETS_SECONDS,
    registry=REGISTRY,
)
tokens = Counter("litevault_tokens", "Tokens of all replies, useful or not.", ["model", "direction"], registry=REGISTRY)
cost = Counter(
    "litevault_cost_usd", "Cost of all replies in US dollars, where it is known.", ["model"], registry=REGISTRY
)
attempts_without_price = Counter(
    "litevault_attempts_without_price",
    "Attempts that used tokens of a model whose price is not known.",
    ["model"],
    registry=REGISTRY,
)
stale_results = Counter(
    "litevault_stale_results", "Results that came after their item had changed hands.", registry=REGISTRY
)
leases_lost = Counter("litevault_leases_lost", "Leases lost while their item was in flight.", registry=REGISTRY)
verdicts_delayed = Gauge("litevault_verdicts_delayed", "Verdicts that wait for the database.", registry=REGISTRY)
verdicts_refused = Counter(
    "litevault_verdicts_refused", "Verdicts that the database refused because of their data.", registry=REGISTRY
)
provider_down = Gauge(
    "litevault_provider_down", "1 while the provider is down, and items wait for it.", registry=REGISTRY
)
loop_blocked = Counter(
    "litevault_loop_blocked", "How often the event loop was blocked for more than 50 ms.", registry=REGISTRY
)
listener = ListenerMetrics(REGISTRY)


class RateLimitMetrics(Collector):
    """What the rate limits of the provider's models allow now."""

    def __init__(self) -> None:
        self._provider: EnrichmentProvider | None = None
        REGISTRY.register(self)

    def follow(self, provider: EnrichmentProvider) -> None:
        self._provider = provider

    def collect(self) -> Iterator[Metric]:
        limits = self._provider.rate_limits() if self._provider else ()
        pace = GaugeMetricFamily(
            "litevault_pace_requests_per_minute",
            "The most requests that this worker sends to a model in a minute, infinite while there is no limit.",
            labels=["model"],
        )
        refused = CounterMetricFamily(
            "litevault_rate_limited", "Requests that a model refused because of its rate limit.", labels=["model"]
        )
        for limit in limits:
            pace.add_metric([limit.model], limit.requests_per_minute)
            refused.add_metric([limit.model], limit.refused)
        yield pace
        yield refused


rate_limits = RateLimitMetrics()


def count_written(verdicts: Sequence[Verdict], result: Finished) -> None:
    """Count a written batch, without the verdicts of locked items, which are written later."""
    verdicts_delayed.set(0)
    for verdict in verdicts:
        if not is_among(verdict, result.locked):
            _count(verdict, is_late=is_among(verdict, result.late))


def is_among(verdict: Verdict, others: Collection[Verdict]) -> bool:
    """Compare by identity, which is cheap."""
    return any(other is verdict for other in others)


def _count(verdict: Verdict, *, is_late: bool) -> None:
    outcome = verdict.outcome
    if is_late:
        # A released item that is late was discarded, apart from the few that another worker took.
        outcome = Outcome.CANCELLED if verdict.is_released else Outcome.STALE
        stale_results.inc(not verdict.is_released)
    attempts.labels(outcome, verdict.error_code or "", verdict.error_reason or "").inc()
    durations.labels(outcome).observe((verdict.finished_at - verdict.started_at).total_seconds())
    if verdict.model is not None:
        prompt_tokens, completion_tokens, costs, without_price = _series_of(verdict.model)
        prompt_tokens.inc(verdict.prompt_tokens or 0)
        completion_tokens.inc(verdict.completion_tokens or 0)
        costs.inc(float(verdict.cost_usd or 0))
        has_tokens = bool(verdict.prompt_tokens or verdict.completion_tokens)
        without_price.inc(has_tokens and verdict.cost_usd is None)


@cache
def _series_of(model: str) -> tuple[Counter, Counter, Counter, Counter]:
    """Create the series of a model. The library would look them up more slowly, for every verdict."""
    return (
        tokens.labels(model, "prompt"),
        tokens.labels(model, "completion"),
        cost.labels(model),
        attempts_without_price.labels(model),
    )


def _create_series() -> None:
    """Create the series at 0: Prometheus sees no increase in one that appears at 1."""
    for outcome in (Outcome.SUCCEEDED, Outcome.RELEASED, Outcome.CANCELLED, Outcome.STALE):
        attempts.labels(outcome, "", "")
    for reason in Reason:
        attempts.labels(Outcome.FAILED, reason.code, reason)


_create_series()

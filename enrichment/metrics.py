"""What one listener has done since it was started, for Prometheus.

Counting costs about a microsecond each, and nothing is read from the database. The state of the queue, which all
listeners share, is told by the web server: litevault/operations/metrics.py.
"""

from collections.abc import Collection, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from enrichment.errors import EnrichmentError
from items.claims import Finished, Verdict
from items.states import Outcome
from postgres.listener_metrics import ListenerMetrics

# From the quickest answer of a small model of one's own to the longest deadline that anybody waits for.
DURATION_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)

# Nobody asks when a counter began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # its library forgot the type
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

slots = Gauge("litevault_worker_slots", "How many items this worker enriches at the same time.", registry=REGISTRY)
in_flight = Gauge(
    "litevault_worker_items_in_flight", "Items that this worker holds, those claimed ahead included.", registry=REGISTRY
)
claims = Counter("litevault_claims", "Items claimed.", registry=REGISTRY)
attempts = Counter(
    "litevault_attempts", "Attempts whose end was written.", ["outcome", "error_code"], registry=REGISTRY
)
durations = Histogram(
    "litevault_attempt_duration_seconds",
    "How long attempts took, from the start of the call to its end.",
    ["outcome"],
    buckets=DURATION_BUCKETS_SECONDS,
    registry=REGISTRY,
)
tokens = Counter("litevault_tokens", "Tokens of all answers, useful or not.", ["model", "direction"], registry=REGISTRY)
cost = Counter(
    "litevault_cost_usd", "Price of all answers in US dollars, where it is known.", ["model"], registry=REGISTRY
)
stale_results = Counter(
    "litevault_stale_results", "Results that came after their item had moved on.", registry=REGISTRY
)
leases_lost = Counter("litevault_leases_lost", "Items that were taken from this worker in flight.", registry=REGISTRY)
verdicts_delayed = Gauge(
    "litevault_verdicts_delayed", "Verdicts that wait because the database does not take them.", registry=REGISTRY
)
verdicts_refused = Counter(
    "litevault_verdicts_refused", "Verdicts that the database refused for what is in them.", registry=REGISTRY
)
provider_down = Gauge(
    "litevault_provider_down", "1 while the provider does not answer, and items wait for it.", registry=REGISTRY
)
listener = ListenerMetrics(REGISTRY)


def finished(verdicts: Sequence[Verdict], result: Finished) -> None:
    """Count a batch that was written. Those whose item is locked by somebody else come again."""
    verdicts_delayed.set(0)
    for verdict in verdicts:
        if not is_among(verdict, result.locked):
            _count(verdict, is_late=is_among(verdict, result.late))


def is_among(verdict: Verdict, others: Collection[Verdict]) -> bool:
    """By identity: these lists are nearly always empty."""
    return any(other is verdict for other in others)


def _count(verdict: Verdict, *, is_late: bool) -> None:
    outcome = verdict.outcome
    if is_late:
        # What was called off was discarded, but for the few that another worker took.
        outcome = Outcome.CANCELLED if verdict.is_released else Outcome.STALE
        stale_results.inc(not verdict.is_released)
    attempts.labels(outcome, verdict.error_code or "").inc()
    durations.labels(outcome).observe((verdict.finished_at - verdict.started_at).total_seconds())
    if verdict.model is not None:
        tokens.labels(verdict.model, "prompt").inc(verdict.prompt_tokens or 0)
        tokens.labels(verdict.model, "completion").inc(verdict.completion_tokens or 0)
        cost.labels(verdict.model).inc(float(verdict.cost_usd or 0))


def _begin_at_zero() -> None:
    """A counter that appears with its first event has not grown, as Prometheus sees it: no alert would tell."""
    for outcome in (Outcome.SUCCEEDED, Outcome.RELEASED, Outcome.CANCELLED, Outcome.STALE):
        attempts.labels(outcome, "")
    for code in {kind.code for kind in _kinds(EnrichmentError)}:
        attempts.labels(Outcome.FAILED, code)


def _kinds(base: type[EnrichmentError]) -> Iterator[type[EnrichmentError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


_begin_at_zero()

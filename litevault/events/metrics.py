"""Metrics of one events process for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from postgres.listener_metrics import ListenerMetrics
from postgres.metrics_server import BuildInfo

KINDS = ("item", "reset", "activity")
ENDS = ("left", "slow", "unauthorized", "old", "stopping")
REFUSALS = ("full", "crowded")

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REGISTRY.register(BuildInfo())

listener = ListenerMetrics(REGISTRY)
streams = Gauge("litevault_event_streams", "Streams that are open.", registry=REGISTRY)
limit = Gauge("litevault_event_streams_limit", "How many streams this process keeps open at most.", registry=REGISTRY)
sent = Counter("litevault_events", "Events for clients, heartbeats left out.", ["event"], registry=REGISTRY)
ended = Counter("litevault_event_streams_ended", "Streams that ended.", ["cause"], registry=REGISTRY)
refused = Counter(
    "litevault_event_streams_refused", "Streams refused because too many were open.", ["cause"], registry=REGISTRY
)
changes_delayed = Gauge(
    "litevault_changes_delayed", "1 while changes cannot be read from the database.", registry=REGISTRY
)


def _begin_at_zero() -> None:
    """Create each counter at 0: Prometheus sees no increase in one that appears with its first event."""
    for kind in KINDS:
        sent.labels(kind)
    for cause in ENDS:
        ended.labels(cause)
    for cause in REFUSALS:
        refused.labels(cause)


_begin_at_zero()

"""Metrics of the queue for Prometheus, read from the database for all scrapes within two seconds.

Cheap at any size: active items are counted through partial indexes, recent attempts through the index on finished_at,
and other statuses are estimated from the planner's statistics once the table is large.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from items.models.enrichment_pause import PauseReason
from items.pauses import Pauses, read_pauses
from items.sql import QUEUE
from items.states import Status
from items.workers import listening_workers
from litevault.operations import attempt_metrics
from litevault.operations.health import WRITABLE
from litevault.web import http_metrics
from postgres.metrics_server import BuildInfo, Page, metrics_page
from postgres.timeboxed import DatabaseUnavailable, Shared, run_query

COUNTED_UP_TO = 100_000

ROWS = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'items'::regclass"
COUNTED = "SELECT status, count(*) FROM items GROUP BY status"
# Each of these two has a partial index of its own.
COUNTED_ACTIVE = """
    SELECT 'ENRICHING', count(*) FROM items WHERE status = 'ENRICHING'
    UNION ALL SELECT 'FAILED', count(*) FROM items WHERE status = 'FAILED'
"""
ESTIMATED = """
    SELECT common.status, (common.frequency * %s)::bigint
    FROM pg_stats, unnest(most_common_vals::text::text[], most_common_freqs) AS common (status, frequency)
    WHERE schemaname = current_schema() AND tablename = 'items' AND attname = 'status'
"""
# An expired lease belongs to a worker that died.
IN_FLIGHT = """
    SELECT count(*) FROM items WHERE status = 'ENRICHING' AND available_at > now() AND claimed_by IS NOT NULL
"""


def page() -> Page:
    """Return the metrics of the requests, and those of the queue unless the database does not respond."""
    registry = CollectorRegistry()
    registry.register(BuildInfo())
    registry.register(http_metrics.collector())
    try:
        registry.register(SNAPSHOT.get())
    except DatabaseUnavailable:
        registry.register(WithoutDatabase())
    return metrics_page(registry)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot(Collector):
    """The queue at one moment."""

    is_writable: bool
    items: dict[str, int]
    oldest_wait_seconds: float
    in_flight: int
    listeners: int
    pauses: dict[PauseReason, Pauses]
    recent: list[attempt_metrics.Group]

    @classmethod
    def take(cls, connected: psycopg.Connection[Any]) -> "Snapshot":
        def one(query: str) -> Any:
            (value,) = connected.execute(query).fetchone()  # type: ignore[misc]  # constants above, one row
            return value

        return cls(
            is_writable=one(WRITABLE),
            items=_items_by_status(connected, rows=one(ROWS)),
            oldest_wait_seconds=(one(QUEUE["oldest_wait"]) or timedelta()).total_seconds(),
            in_flight=one(IN_FLIGHT),
            listeners=len(listening_workers(connected)),
            pauses=read_pauses(connected),
            recent=attempt_metrics.read_groups(connected),
        )

    def collect(self) -> Iterator[Metric]:
        yield _writable(value=self.is_writable)
        items = GaugeMetricFamily("litevault_items", "Items by status; estimated in a large table.", labels=["status"])
        for status, count in self.items.items():
            items.add_metric([status], count)
        yield items
        yield GaugeMetricFamily(
            "litevault_oldest_wait_seconds",
            "How long the item that has been due longest has waited for a worker, without those of paused owners.",
            value=self.oldest_wait_seconds,
        )
        yield GaugeMetricFamily("litevault_items_in_flight", "Items that a worker holds.", value=self.in_flight)
        yield GaugeMetricFamily("litevault_listeners", "Listeners that receive notifications.", value=self.listeners)
        pauses = GaugeMetricFamily(
            "litevault_enrichment_pauses",
            "Owners whose items wait because a budget is spent or staff paused them; 1 for all owners if all wait.",
            labels=["reason", "scope"],
        )
        for reason, paused in self.pauses.items():
            pauses.add_metric([reason, "all"], paused.of_all)
            pauses.add_metric([reason, "owner"], paused.of_owners)
        yield pauses
        yield from attempt_metrics.metric_families(self.recent)


class WithoutDatabase(Collector):
    def collect(self) -> Iterator[Metric]:
        yield _writable(value=False)


def _writable(*, value: bool) -> Metric:
    return GaugeMetricFamily(
        "litevault_database_writable", "1, or 0 for a standby, a read-only server or none that responds.", value=value
    )


SNAPSHOT = Shared(partial(run_query, Snapshot.take))


def _items_by_status(connected: psycopg.Connection[Any], *, rows: int) -> dict[str, int]:
    counts = dict.fromkeys(Status.values, 0)
    if rows <= COUNTED_UP_TO:
        return {**counts, **dict(connected.execute(COUNTED).fetchall())}
    estimated = dict(connected.execute(ESTIMATED, [rows]).fetchall())
    return {**counts, **estimated, **dict(connected.execute(COUNTED_ACTIVE).fetchall())}

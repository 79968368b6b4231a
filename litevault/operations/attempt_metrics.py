"""Metrics of the attempts of all listeners in the last five minutes, read from the history of attempts.

These are gauges. Each listener has counters of its own: enrichment/metrics.py.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from prometheus_client import Metric
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily

# The same as in enrichment/metrics.py.
BOUNDS_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)

# A scan of the index on finished_at, however many older attempts there are.
GROUPS = """
    SELECT outcome, coalesce(error_code, ''), coalesce(error_reason, ''), width_bucket(seconds, %s::float8[]),
           count(*), sum(seconds)::float8,
           coalesce(sum(prompt_tokens), 0)::bigint, coalesce(sum(completion_tokens), 0)::bigint,
           coalesce(sum(cost_usd), 0)::float8
    FROM (
        SELECT *, extract(epoch FROM finished_at - started_at)::float8 AS seconds
        FROM enrichment_attempts WHERE finished_at > now() - interval '5 minutes'
    ) recent
    GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Attempts with the same outcome, error and range of duration."""

    outcome: str
    error_code: str
    error_reason: str
    bucket: int
    count: int
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


def read_groups(connected: psycopg.Connection[Any]) -> list[Group]:
    return [Group(*row) for row in connected.execute(GROUPS, [list(BOUNDS_SECONDS)]).fetchall()]


def metric_families(groups: list[Group]) -> Iterator[Metric]:
    yield _attempts(groups)
    yield _durations(groups)
    tokens = GaugeMetricFamily(
        "litevault_tokens_recent", "Tokens of the attempts of the last five minutes.", labels=["direction"]
    )
    tokens.add_metric(["prompt"], sum(group.prompt_tokens for group in groups))
    tokens.add_metric(["completion"], sum(group.completion_tokens for group in groups))
    yield tokens
    yield GaugeMetricFamily(
        "litevault_cost_recent_usd",
        "Price of the attempts of the last five minutes in US dollars, where it is known.",
        value=sum(group.cost_usd for group in groups),
    )


def _attempts(groups: list[Group]) -> Metric:
    counts: Counter[tuple[str, str, str]] = Counter()
    for group in groups:
        counts[group.outcome, group.error_code, group.error_reason] += group.count
    attempts = GaugeMetricFamily(
        "litevault_attempts_recent",
        "Attempts that finished in the last five minutes.",
        labels=["outcome", "error_code", "error_reason"],
    )
    for labels, count in counts.items():
        attempts.add_metric(labels, count)
    return attempts


def _durations(groups: list[Group]) -> Metric:
    durations = GaugeHistogramMetricFamily(
        "litevault_attempt_duration_recent_seconds",
        "How long the attempts took that finished in the last five minutes.",
        labels=["outcome"],
    )
    for outcome in sorted({group.outcome for group in groups}):
        alike = [group for group in groups if group.outcome == outcome]
        buckets = [
            (str(bound), sum(group.count for group in alike if group.bucket <= number))
            for number, bound in enumerate((*BOUNDS_SECONDS, "+Inf"))
        ]
        durations.add_metric([outcome], buckets, sum(group.seconds for group in alike))
    return durations

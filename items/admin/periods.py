"""The hours of the last day and the days of this month: attempts, latency and cost.

Periods that are over hardly change any more. They are read once and kept in the database for all web processes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self, TypeAlias

from django.utils import timezone

from items.admin.charts import Rectangle, lines, stacked
from items.admin.labels import DASH, duration
from items.admin.queries import COUNT_LIMIT, DAYS, HOURS, fetch_all
from items.models.period import Period
from items.usage import TotalUsage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

LATENCY_SAMPLE = 100
"""Measure the latency of each hour from this many items."""

VERSION = 2
"""The format of the stored rows. Raise it with each change of the format."""

KEPT_FOR = timedelta(days=40)

Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The attempts that finished in one hour. Times are in seconds, or None where nothing was measured.

    `unpriced` attempts used tokens of a model whose price is not known.
    """

    start: datetime
    succeeded: int
    others: int
    attempt_median: float | None
    latency_median: float | None
    latency_p95: float | None
    usage: TotalUsage
    unpriced: int

    @classmethod
    def from_row(cls, start: datetime, row: Row) -> Self:
        succeeded, others, attempt_median, latency_median, latency_p95, *usage, unpriced = row
        return cls(
            start=start,
            succeeded=succeeded,
            others=others,
            attempt_median=attempt_median,
            latency_median=latency_median,
            latency_p95=latency_p95,
            usage=_usage(usage),
            unpriced=unpriced,
        )

    @property
    def attempts(self) -> int:
        return self.succeeded + self.others

    @property
    def times(self) -> tuple[str, ...]:
        times = (self.attempt_median, self.latency_median, self.latency_p95)
        return tuple(DASH if time is None else duration(time) for time in times)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """The last 24 hours, including the current one."""

    hours: Sequence[Hour]

    @classmethod
    def read(cls) -> Self:
        current = timezone.now().replace(minute=0, second=0, microsecond=0)
        starts = [current - number * HOUR for number in reversed(range(24))]
        rows = read_periods(starts, read_hours, length=HOUR)
        return cls(hours=[Hour.from_row(start, row) for start, row in rows.items()])

    @property
    def attempts(self) -> str:
        """A plus says that at least one hour has more than COUNT_LIMIT."""
        return f"{sum(hour.attempts for hour in self.hours):,}{self._plus}"

    @property
    def busiest(self) -> str:
        return f"{max(hour.attempts for hour in self.hours):,}{self._plus}"

    @property
    def longest(self) -> str:
        return duration(self._highest)

    @property
    def columns(self) -> list[Rectangle]:
        return stacked([(hour.succeeded, hour.others) for hour in self.hours], kinds=("succeeded", "others"))

    @property
    def median_lines(self) -> list[str]:
        return lines([hour.latency_median for hour in self.hours], top=self._highest)

    @property
    def p95_lines(self) -> list[str]:
        return lines([hour.latency_p95 for hour in self.hours], top=self._highest)

    @property
    def _highest(self) -> float:
        return max((hour.latency_p95 for hour in self.hours if hour.latency_p95 is not None), default=0)

    @property
    def _plus(self) -> str:
        return "+" if any(hour.attempts >= COUNT_LIMIT for hour in self.hours) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    name: str
    today: str
    month: str


def cost_rows(last_day: LastDay) -> list[CostRow]:
    """Days and months begin at midnight UTC. Today's hours are among those of the last day."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    earlier_days = [midnight.replace(day=day) for day in range(1, midnight.day)]
    rows = read_periods(earlier_days, read_days, length=DAY).values()
    hours = [hour for hour in last_day.hours if hour.start >= midnight]
    today = TotalUsage.of(hour.usage for hour in hours)
    month = TotalUsage.of([*(_usage(row[:-1]) for row in rows), today])
    unpriced = sum(hour.unpriced for hour in hours)
    unpriced_of_month = unpriced + sum(row[-1] for row in rows)
    return [
        CostRow(name="Tokens in", today=_tokens(today.prompt_tokens), month=_tokens(month.prompt_tokens)),
        CostRow(name="Tokens out", today=_tokens(today.completion_tokens), month=_tokens(month.completion_tokens)),
        CostRow(name="Cost", today=_dollars(today.cost_usd), month=_dollars(month.cost_usd)),
        CostRow(name="Attempts without a price", today=f"{unpriced:,}", month=f"{unpriced_of_month:,}"),
    ]


def read_periods(
    starts: Sequence[datetime],
    read: Callable[[Sequence[datetime]], Mapping[datetime, Row]],
    *,
    length: timedelta,
) -> dict[datetime, Row]:
    """Return a row for each period: the stored one, or what `read` returns for those that are not stored."""
    names = {start: f"{VERSION}.{length // HOUR}h.{start:%Y%m%d%H}" for start in starts}
    stored = dict(Period.objects.filter(name__in=names.values()).values_list("name", "said"))
    fresh = read([start for start in starts if names[start] not in stored])
    # While the database is not available, verdicts wait: an attempt may be stored long after it finished.
    over = timezone.now() - 2 * length
    _store(Period(name=names[start], start=start, said=row) for start, row in fresh.items() if start < over)
    return {start: stored[names[start]] if names[start] in stored else fresh[start] for start in starts}


def _store(periods: Iterable[Period]) -> None:
    """Ignore conflicts: another process may have stored the same row."""
    if Period.objects.bulk_create(periods, ignore_conflicts=True):
        Period.objects.filter(start__lt=timezone.now() - KEPT_FOR).delete()


def read_hours(hours: Sequence[datetime]) -> dict[datetime, Row]:
    return {hour: row for hour, *row in fetch_all(HOURS, hours=hours, limit=COUNT_LIMIT, sample=LATENCY_SAMPLE)}


def read_days(days: Sequence[datetime]) -> dict[datetime, Row]:
    return {day: row for day, *row in fetch_all(DAYS, days=days)}


def _usage(row: Row) -> TotalUsage:
    """JSON stores a decimal as a string."""
    prompt_tokens, completion_tokens, cost = row
    return TotalUsage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=None if cost is None else Decimal(cost),
    )


def _tokens(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _dollars(cost: Decimal | None) -> str:
    if cost is None:
        return "unknown"
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"

"""The hours of the last day and the days of this month: attempts, latency and cost.

Periods that are over hardly change any more. They are read once and kept in the database for all web processes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self, TypeAlias

from django.utils import timezone

from items.admin.charts import Chart, Slot, lines, scale, slots, stacked, ticks
from items.admin.labels import DASH, duration
from items.admin.queries import COUNT_LIMIT, DAYS, HOURS, fetch_all
from items.models.period import Period
from items.usage import TotalUsage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

LATENCY_SAMPLE = 100
"""Measure the latency of each hour from this many items."""

AXIS_HOURS = 6

VERSION = 2
"""The format of the stored rows. Raise it with each change of the format."""

KEPT_FOR = timedelta(days=40)

MAX_MISSING = 3
"""Read as many periods within the request for the page: an hour that is over, and a day."""

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
        hours, _ = _hours_and_days()
        rows = read_periods(hours, read_hours, length=HOUR)
        return cls(hours=[Hour.from_row(start, row) for start, row in rows.items()])

    @property
    def attempts(self) -> str:
        """A plus says that at least one hour has more than COUNT_LIMIT."""
        return f"{sum(hour.attempts for hour in self.hours):,}{self._plus}"

    @property
    def charts(self) -> list[Chart]:
        return [self._attempts_chart(), self._latency_chart(), self._cost_chart()]

    def _attempts_chart(self) -> Chart:
        columns = [(hour.succeeded, hour.others) for hour in self.hours]
        values = scale(max(hour.attempts for hour in self.hours))
        return Chart(
            name="throughput",
            title="Attempts finished in each hour of the last day",
            description=f"{self.attempts} in all.",
            keys=[("succeeded", "succeeded"), ("others", "others")],
            ticks=ticks([value for value in values if value == int(value)], lambda value: f"{value:,.0f}"),
            slots=self._slots([f"{hour.succeeded:,} succeeded, {hour.others:,} others" for hour in self.hours]),
            rectangles=stacked(columns, kinds=("succeeded", "others"), top=values[-1]),
        )

    def _latency_chart(self) -> Chart:
        highest = max((hour.latency_p95 for hour in self.hours if hour.latency_p95 is not None), default=0)
        values = scale(highest)
        slow = [("slow", line) for line in lines([hour.latency_p95 for hour in self.hours], top=values[-1])]
        median = [("median", line) for line in lines([hour.latency_median for hour in self.hours], top=values[-1])]
        return Chart(
            name="latency",
            title="Time from capture to draft in each hour of the last day",
            description="Median and 95th percentile, of items that succeeded at the first attempt.",
            keys=[("median", "median"), ("slow", "95th percentile")],
            ticks=ticks(values, lambda value: duration(value) if value else "0"),
            slots=self._slots([f"median {hour.times[1]}, 95th percentile {hour.times[2]}" for hour in self.hours]),
            paths=[*slow, *median],
        )

    def _cost_chart(self) -> Chart:
        costs = [hour.usage.cost_usd or Decimal(0) for hour in self.hours]
        values = scale(float(max(costs)))
        return Chart(
            name="cost",
            title="Known cost of each hour of the last day",
            description=f"{_dollars(sum(costs, Decimal(0)))} in all, without attempts whose price is not known.",
            keys=[("cost", "US dollars")],
            ticks=ticks(values, lambda value: f"${value:,.4g}"),
            slots=self._slots([_dollars(cost) for cost in costs]),
            rectangles=stacked([(float(cost),) for cost in costs], kinds=("cost",), top=values[-1]),
        )

    def _slots(self, values: Sequence[str]) -> list[Slot]:
        """Label every sixth hour on the axis."""
        starts = [hour.start for hour in self.hours]
        spans = [f"{start:%H:%M} to {start + HOUR:%H:%M}: {value}" for start, value in zip(starts, values, strict=True)]
        return slots(spans, [f"{start:%H:%M}" if start.hour % AXIS_HOURS == 0 else "" for start in starts])

    @property
    def _plus(self) -> str:
        return "+" if any(hour.attempts >= COUNT_LIMIT for hour in self.hours) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    name: str
    today: str
    month: str


def cost_rows(last_day: LastDay) -> list[CostRow]:
    """Today's hours are among those of the last day."""
    _, earlier_days = _hours_and_days()
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
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


def are_periods_stored() -> bool:
    """Whether no more than a few periods have to be read, which takes long in a large database."""
    hours, days = _hours_and_days()
    over = [(start, HOUR) for start in hours if _is_over(start, HOUR)] + [
        (start, DAY) for start in days if _is_over(start, DAY)
    ]
    names = {_name(start, length) for start, length in over}
    return Period.objects.filter(name__in=names).count() >= len(names) - MAX_MISSING


def _hours_and_days() -> tuple[list[datetime], list[datetime]]:
    """Return the starts of the last 24 hours, and of the days (UTC) of this month before today."""
    current = timezone.now().replace(minute=0, second=0, microsecond=0)
    midnight = current.replace(hour=0)
    return [current - number * HOUR for number in reversed(range(24))], [
        midnight.replace(day=day) for day in range(1, midnight.day)
    ]


def _name(start: datetime, length: timedelta) -> str:
    return f"{VERSION}.{length // HOUR}h.{start:%Y%m%d%H}"


def _is_over(start: datetime, length: timedelta) -> bool:
    """While the database is not available, verdicts wait: an attempt may be stored long after it finished."""
    return start < timezone.now() - 2 * length


def read_periods(
    starts: Sequence[datetime],
    read: Callable[[Sequence[datetime]], Mapping[datetime, Row]],
    *,
    length: timedelta,
) -> dict[datetime, Row]:
    """Return a row for each period: the stored one, or what `read` returns for those that are not stored."""
    names = {start: _name(start, length) for start in starts}
    stored = dict(Period.objects.filter(name__in=names.values()).values_list("name", "totals"))
    fresh = read([start for start in starts if names[start] not in stored])
    _store(
        [Period(name=names[start], start=start, totals=row) for start, row in fresh.items() if _is_over(start, length)]
    )
    return {start: stored[names[start]] if names[start] in stored else fresh[start] for start in starts}


def _store(periods: Sequence[Period]) -> None:
    """Ignore conflicts: another process may have stored the same row. Store nothing in a read-only database."""
    if periods and fetch_all("SHOW transaction_read_only") == [("off",)]:
        Period.objects.bulk_create(periods, ignore_conflicts=True)
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

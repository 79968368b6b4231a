"""How much was done in each hour of the last day, and how fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.utils import timezone

from items.admin.charts import Rectangle, lines, stacked
from items.admin.counting import MOST_TO_COUNT
from items.admin.overview.periods import Row, remembered
from items.admin.overview.questions import HOURS, ask
from items.admin.overview.spending import Spent
from items.admin.words import time_in_words

HOUR = timedelta(hours=1)

SAMPLE = 100
"""So many items of each hour tell how long the owners waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The attempts that finished in it. Times are in seconds, and None where nothing was measured."""

    start: datetime
    succeeded: int
    others: int
    took: float | None
    median: float | None
    slow: float | None
    spent: Spent

    @classmethod
    def of(cls, start: datetime, row: Row) -> Self:
        succeeded, others, took, median, slow, *spent = row
        return cls(
            start=start,
            succeeded=succeeded,
            others=others,
            took=took,
            median=median,
            slow=slow,
            spent=Spent.of(spent),
        )

    @property
    def attempts(self) -> int:
        return self.succeeded + self.others

    @property
    def times(self) -> tuple[str, ...]:
        return tuple("–" if time is None else time_in_words(time) for time in (self.took, self.median, self.slow))  # noqa: RUF001  # a dash


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The last 24 hours, with the present one."""

    hours: Sequence[Hour]

    @classmethod
    def read(cls) -> Self:
        present = timezone.now().replace(minute=0, second=0, microsecond=0)
        starts = [present - number * HOUR for number in reversed(range(24))]
        rows = remembered(starts, read_hours, length=HOUR)
        return cls(hours=[Hour.of(start, row) for start, row in rows.items()])

    @property
    def attempts(self) -> str:
        """In an hour with more than MOST_TO_COUNT, no more are counted: the plus says so."""
        return f"{sum(hour.attempts for hour in self.hours):,}{self._plus}"

    @property
    def busiest(self) -> str:
        return f"{max(hour.attempts for hour in self.hours):,}{self._plus}"

    @property
    def longest(self) -> str:
        return time_in_words(self._top)

    @property
    def columns(self) -> list[Rectangle]:
        return stacked([(hour.succeeded, hour.others) for hour in self.hours], kinds=("succeeded", "others"))

    @property
    def median_lines(self) -> list[str]:
        return lines([hour.median for hour in self.hours], top=self._top)

    @property
    def slow_lines(self) -> list[str]:
        return lines([hour.slow for hour in self.hours], top=self._top)

    @property
    def _top(self) -> float:
        return max((hour.slow for hour in self.hours if hour.slow is not None), default=0)

    @property
    def _plus(self) -> str:
        return "+" if any(hour.attempts >= MOST_TO_COUNT for hour in self.hours) else ""


def read_hours(starts: Sequence[datetime]) -> dict[datetime, Row]:
    return {start: row for start, *row in ask(HOURS, hours=starts, most=MOST_TO_COUNT, sample=SAMPLE)}

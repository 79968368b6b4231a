"""What attempts took, today and this month. The day and the month begin at midnight UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from django.utils import timezone

from items.admin.overview.periods import Row, remembered
from items.admin.overview.questions import DAYS, ask
from items.usage import sum_of_known

DAY = timedelta(days=1)


class Spent(NamedTuple):
    """Each is None where no attempt says it: an attempt without a price was not free."""

    tokens_in: int | None
    tokens_out: int | None
    cost: Decimal | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """A decimal that was remembered is a text."""
        tokens_in, tokens_out, cost = row
        return cls(tokens_in=tokens_in, tokens_out=tokens_out, cost=None if cost is None else Decimal(cost))

    @classmethod
    def together(cls, periods: Iterable["Spent"]) -> "Spent":
        periods = list(periods)
        return cls(
            tokens_in=sum_of_known(period.tokens_in for period in periods),
            tokens_out=sum_of_known(period.tokens_out for period in periods),
            cost=sum_of_known(period.cost for period in periods),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    name: str
    today: str
    month: str


def spending(hours: Iterable[tuple[datetime, Spent]]) -> list[Spending]:
    """Today is in the hours of the last day, and the rest of the month in days that are over."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight.replace(day=day) for day in range(1, midnight.day)]
    today = Spent.together(spent for start, spent in hours if start >= midnight)
    rows = remembered(days, read_days, length=DAY).values()
    month = Spent.together([*(Spent.of(row) for row in rows), today])
    return [
        Spending(name="Tokens in", today=_tokens(today.tokens_in), month=_tokens(month.tokens_in)),
        Spending(name="Tokens out", today=_tokens(today.tokens_out), month=_tokens(month.tokens_out)),
        Spending(name="Cost", today=_dollars(today.cost), month=_dollars(month.cost)),
    ]


def read_days(days: Sequence[datetime]) -> dict[datetime, Row]:
    return {day: row for day, *row in ask(DAYS, days=days)}


def _tokens(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _dollars(cost: Decimal | None) -> str:
    if cost is None:
        return "unknown"
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"

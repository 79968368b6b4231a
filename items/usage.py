"""Token usage and cost of attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self, TypeVar

from items.models import EnrichmentAttempt

Number = TypeVar("Number", int, Decimal)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalUsage:
    """Sums over attempts. None means unknown: an attempt without a price was not free."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Decimal | None

    @classmethod
    def of(cls, attempts: Iterable["EnrichmentAttempt | TotalUsage"]) -> Self:
        """Sum the known values."""
        attempts = list(attempts)
        return cls(
            prompt_tokens=sum_of_known(attempt.prompt_tokens for attempt in attempts),
            completion_tokens=sum_of_known(attempt.completion_tokens for attempt in attempts),
            cost_usd=sum_of_known(attempt.cost_usd for attempt in attempts),
        )


def sum_of_known(values: Iterable[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None

"""Token usage and cost of attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self, TypeVar

from django.db.models import Sum

from items.models import EnrichmentAttempt, Item
from postgres.django.compiled import CompiledQuery, Parameter

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


ATTEMPTS_SHOWN = 100
"""How many attempts a page or response has at most: retries have no end."""

LAST_ATTEMPTS = CompiledQuery(
    lambda: EnrichmentAttempt.objects.filter(item=Parameter("item_id")).order_by("-number")[:ATTEMPTS_SHOWN]
)


def last_attempts(item: Item) -> tuple[list[EnrichmentAttempt], TotalUsage]:
    """Return the last attempts in their order, and the usage of all."""
    attempts = LAST_ATTEMPTS.instances(item_id=item.pk)[::-1]
    if len(attempts) < ATTEMPTS_SHOWN:
        return attempts, TotalUsage.of(attempts)
    sums = {name: Sum(name) for name in ("prompt_tokens", "completion_tokens", "cost_usd")}
    return attempts, TotalUsage(**item.attempts.aggregate(**sums))


def sum_of_known(values: Iterable[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None

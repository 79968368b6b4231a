"""The items in line for a worker, and those that one holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models.functions import Now

from items.admin.counting import Count, counted
from items.admin.overview.questions import IN_FLIGHT, OLDEST_WAIT, ask
from items.admin.words import time_in_words
from items.models import Item
from items.states import Status

MOST_IN_FLIGHT = 2_000
"""Of the leases that end soonest, so many are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`waiting` are due, `in_flight` are in a worker's hands, `later` back off or were retried in great number."""

    waiting: Count
    oldest_wait: str | None
    in_flight: str
    later: Count

    @classmethod
    def read(cls, held: Mapping[str, int]) -> Self:
        """`held` is how many items each worker has in flight."""
        enriching = Item.objects.filter(status=Status.ENRICHING)
        ((oldest_wait,),) = ask(OLDEST_WAIT)
        in_flight = sum(held.values())
        return cls(
            waiting=counted(enriching.filter(available_at__lte=Now())),
            oldest_wait=None if oldest_wait is None else time_in_words(oldest_wait.total_seconds()),
            in_flight=f"{in_flight:,}{'+' if in_flight == MOST_IN_FLIGHT else ''}",
            later=counted(enriching.filter(available_at__gt=Now(), claimed_by=None)),
        )


def held_by_worker() -> dict[str, int]:
    return dict(ask(IN_FLIGHT, most=MOST_IN_FLIGHT))

"""Every attempt at an item: how long it had waited, how long it took, and what all of them took together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from items.admin.charts import share
from items.admin.words import time_in_words
from items.models import EnrichmentAttempt, Item
from items.usage import TotalUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An attempt, the pause before it, and its share of the longest attempt, in hundredths."""

    attempt: EnrichmentAttempt
    waited: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    steps: Sequence[Step]
    duration_ms: int
    usage: TotalUsage


def history(item: Item) -> History:
    attempts = list(item.attempts.order_by("number"))
    return History(
        steps=list(_steps(item, attempts)),
        duration_ms=sum(attempt.duration_ms for attempt in attempts),
        usage=TotalUsage.of(attempts),
    )


def _steps(item: Item, attempts: Sequence[EnrichmentAttempt]) -> Iterator[Step]:
    longest = max((attempt.duration_ms for attempt in attempts), default=0)
    free_since = item.created_at
    for attempt in attempts:
        waited = (attempt.started_at - free_since).total_seconds()
        yield Step(attempt=attempt, waited=time_in_words(waited), share=share(attempt.duration_ms, longest))
        free_since = attempt.finished_at

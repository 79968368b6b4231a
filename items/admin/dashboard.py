"""The dashboard: is work being done, how fast, what fails, and what does it cost?

All of it comes from the database, in queries of bounded cost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from django.db import connection, transaction
from django.db.models.functions import Now

from items.admin.causes import Cause
from items.admin.charts import share
from items.admin.labels import Count, duration
from items.admin.periods import CostRow, LastDay, are_periods_stored, cost_rows
from items.admin.queries import COUNT_LIMIT, FAILURES, IN_FLIGHT, POSTPONED, WORKERS, bounded_count, fetch_all
from items.models import Item
from items.models.enrichment_pause import PauseReason
from items.pauses import Pauses, read_pauses
from items.queue import listener_name
from items.sql import QUEUE
from items.states import Status
from items.workers import ListeningWorker, listening_workers

IN_FLIGHT_LIMIT = 2_000
"""Look at this many of the leases that end soonest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """Items that are due, that workers hold, and that back off or were scheduled by a bulk retry."""

    waiting: Count
    oldest_wait: str | None
    in_flight: str
    scheduled: Count
    postponed: Count
    postponed_for: str | None
    spent: Pauses
    paused: Pauses

    @classmethod
    def read(cls, in_flight: int) -> Self:
        pauses = read_pauses(connection)
        enriching = Item.objects.filter(status=Status.ENRICHING)
        ((postponed, longest),) = fetch_all(POSTPONED, limit=COUNT_LIMIT)
        ((oldest_wait,),) = fetch_all(QUEUE["oldest_wait"])
        return cls(
            waiting=bounded_count(enriching.filter(available_at__lte=Now())),
            oldest_wait=None if oldest_wait is None else duration(oldest_wait.total_seconds()),
            in_flight=f"{in_flight:,}{'+' if in_flight == IN_FLIGHT_LIMIT else ''}",
            scheduled=bounded_count(enriching.filter(available_at__gt=Now(), claimed_by=None)),
            postponed=Count(postponed),
            postponed_for=longest and duration(longest.total_seconds()),
            spent=pauses[PauseReason.BUDGET],
            paused=pauses[PauseReason.STAFF],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Attempts of the last hour that failed for this cause. `share` is the length of the bar."""

    label: str
    query: str | None
    """The filters of the list of items, or None for attempts without an error."""
    count: Count
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker that is listening, or that holds items or finished an attempt in the last hour."""

    name: str
    connection: ListeningWorker | None
    in_flight: int
    attempts: Count
    finished_ago: timedelta | None

    @property
    def last_seen(self) -> str | None:
        return self.connection and ago(self.connection.seen_ago)

    @property
    def last_finished(self) -> str | None:
        return ago(self.finished_ago)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    statuses: Sequence[tuple[Status, Count]]
    queue: QueueStatus
    failures: Sequence[Failure]
    workers: Sequence[Worker]
    last_day: LastDay | None
    costs: Sequence[CostRow]

    @property
    def has_listener(self) -> bool:
        return any(worker.connection for worker in self.workers)

    @classmethod
    @transaction.atomic
    def read(cls, *, waits_for_periods: bool = True) -> Self:
        """Leave out the last day and the cost if reading them takes long, unless the request waits for them."""
        # Compiling these queries takes longer than running them.
        fetch_all("SELECT set_config('jit', 'off', true)")
        last_day = LastDay.read() if waits_for_periods or are_periods_stored() else None
        in_flight = dict(fetch_all(IN_FLIGHT, limit=IN_FLIGHT_LIMIT))
        return cls(
            statuses=[(status, bounded_count(Item.objects.filter(status=status))) for status in Status],
            queue=QueueStatus.read(sum(in_flight.values())),
            failures=read_failures(),
            last_day=last_day,
            workers=list(read_workers(in_flight)),
            costs=cost_rows(last_day) if last_day else (),
        )


def read_failures() -> list[Failure]:
    rows = fetch_all(FAILURES, limit=COUNT_LIMIT)
    highest = max((count for *_, count in rows), default=0)
    return [
        Failure(
            label=label,
            query=code and Cause.of(reason, code).query,
            count=Count(count),
            share=share(count, highest),
        )
        for label, reason, code, count in rows
    ]


def read_workers(in_flight: Mapping[str, int]) -> Iterator[Worker]:
    """Those that are listening come first."""
    finished = {name: (attempts, pause) for name, attempts, pause in fetch_all(WORKERS, limit=COUNT_LIMIT)}
    # PostgreSQL may have kept only part of an id.
    names = {listener_name(name): name for name in (*finished, *in_flight)}
    listening: list[tuple[str, ListeningWorker | None]] = [
        (names.get(worker.application_name, worker.id), worker) for worker in listening_workers(connection)
    ]
    others = [(name, None) for name in names.values() if name not in dict(listening)]
    for name, connected in [*listening, *others]:
        attempts, finished_ago = finished.get(name, (0, None))
        yield Worker(
            name=name,
            connection=connected,
            in_flight=in_flight.get(name, 0),
            attempts=Count(attempts),
            finished_ago=finished_ago,
        )


def ago(pause: timedelta | None) -> str | None:
    return None if pause is None else f"{duration(pause.total_seconds())} ago"

"""What the first page of the admin says, all of it from the database and none of it counted for long.

There is no registry of workers, and none is needed: one that listens is known by its connection, and all by their work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.db import transaction

from items.admin.counting import Count, counted
from items.admin.overview.day import Day
from items.admin.overview.failures import Failure, failures
from items.admin.overview.fleet import Worker, fleet
from items.admin.overview.line import Line, held_by_worker
from items.admin.overview.questions import without_compiling
from items.admin.overview.spending import Spending, spending
from items.models import Item
from items.states import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    statuses: Sequence[tuple[Status, Count]]
    line: Line
    failures: Sequence[Failure]
    day: Day
    fleet: Sequence[Worker]
    spending: Sequence[Spending]

    @property
    def is_listened_to(self) -> bool:
        return any(worker.connection for worker in self.fleet)

    @classmethod
    @transaction.atomic
    def taken(cls) -> Self:
        without_compiling()
        day = Day.read()
        held = held_by_worker()
        return cls(
            statuses=[(status, counted(Item.objects.filter(status=status))) for status in Status],
            line=Line.read(held),
            failures=failures(),
            day=day,
            fleet=fleet(held),
            spending=spending((hour.start, hour.spent) for hour in day.hours),
        )

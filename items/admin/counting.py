"""How many items there are, as far as it matters: nobody reads a backlog to the last item, and the page stays quick."""

import json
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import cached_property

from items.admin.generics import ItemPaginator
from items.models import Item

MOST_TO_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """A number of items. One that is not exact is what PostgreSQL's planner expects."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        if self.is_exact:
            return f"{self.number:,}"
        # Two digits say all that an estimate knows.
        unit = 10 ** max(0, len(str(self.number)) - 2)
        return f"about {round(self.number / unit) * unit:,}"

    @property
    def of_items(self) -> str:
        return f"{self} item{'' if self.number == 1 else 's'}"


def counted(items: QuerySet[Item]) -> Count:
    """Count up to MOST_TO_COUNT, and estimate what is more."""
    unordered = items.order_by()
    number = unordered[: MOST_TO_COUNT + 1].count()
    if number <= MOST_TO_COUNT:
        return Count(number)
    return Count(max(number, expected(unordered)), is_exact=False)


def expected(items: QuerySet[Item]) -> int:
    """How many rows the planner expects, from the statistics that autovacuum keeps."""
    (plan,) = json.loads(items.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])


class BoundedPaginator(ItemPaginator):
    """Pages of the first MOST_TO_COUNT items: a page far behind costs as much as all those before it."""

    @cached_property
    def matching(self) -> Count:
        """All that match, on the pages or not."""
        return counted(self.object_list)  # type: ignore[arg-type]  # a list of items is what it pages

    @cached_property
    def count(self) -> int:
        return min(self.matching.number, MOST_TO_COUNT)

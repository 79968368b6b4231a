"""What failed within the last hour."""

from dataclasses import dataclass

from items.admin.charts import share
from items.admin.counting import MOST_TO_COUNT, Count
from items.admin.filters import ERROR_CODES
from items.admin.overview.questions import FAILURES, ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How many attempts failed with this code. `share` is the length of its bar."""

    code: str
    count: Count
    share: int

    @property
    def is_filter(self) -> bool:
        """The list of items can be filtered by it. Lost attempts have no code."""
        return self.code in ERROR_CODES


def failures() -> list[Failure]:
    rows = ask(FAILURES, most=MOST_TO_COUNT)
    top = max((count for _, count in rows), default=0)
    return [Failure(code=code, count=Count(count), share=share(count, top)) for code, count in rows]

"""What every benchmark is: a name, what it says of itself, and a run."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Report


@dataclass(frozen=True)
class Run:
    """One call of a benchmark: where, how thoroughly, and where to put what was measured."""

    url: str
    report: Report
    is_full: bool
    rounds: int

    def size(self, quick: int, full: int) -> int:
        return full if self.is_full else quick


@dataclass(frozen=True)
class Benchmark:
    name: str
    asks: str
    run: Callable[[Run], None]
    quick_rounds: int = 1

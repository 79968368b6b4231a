"""What a benchmark measured: figures by contender, each with one sample for each round."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

Better = Literal["lower", "higher", ""]


def percentile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[round(part * (len(ordered) - 1))]


@dataclass
class Figure:
    """One line of a table. Which way is better decides how its ratio reads."""

    measure: str
    contender: str
    unit: str
    better: Better
    samples: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.samples)


class Report:
    """Collects the samples of one benchmark. The first contender of a measure is what the others are compared with."""

    def __init__(self, name: str, *, machine: Mapping[str, str]) -> None:
        self.name = name
        self.machine = machine
        self.settings: dict[str, str] = {}
        self.remarks: list[str] = []
        self._figures: dict[tuple[str, str], Figure] = {}

    def add(self, measure: str, contender: str, value: float, *, unit: str, better: Better = "lower") -> None:
        figure = self._figures.setdefault((measure, contender), Figure(measure, contender, unit, better))
        figure.samples.append(value)

    def add_latencies(self, measure: str, contender: str, milliseconds: Sequence[float]) -> None:
        """The usual points of a distribution, so that the tail is seen and not averaged away."""
        for point, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
            self.add(f"{measure}, {point}", contender, percentile(milliseconds, part), unit="ms")

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def by_measure(self) -> dict[str, list[Figure]]:
        found: dict[str, list[Figure]] = {}
        for figure in self._figures.values():
            found.setdefault(figure.measure, []).append(figure)
        return found

    def save(self, folder: Path) -> None:
        content = {
            "benchmark": self.name,
            "machine": self.machine,
            "settings": self.settings,
            "remarks": self.remarks,
            "figures": [asdict(figure) | {"median": figure.median} for figure in self._figures.values()],
        }
        (folder / f"{self.name}.json").write_text(json.dumps(content, indent=1) + "\n")

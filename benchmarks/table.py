"""A table of figures, each with its median and its spread over the rounds."""

from collections.abc import Mapping, Sequence
from statistics import median


def print_table(figures: Mapping[str, Sequence[float]]) -> None:
    width = max(len(name) for name in figures)
    print(f"{'':<{width}}  {'median':>10} {'min':>10} {'max':>10}")
    for name, values in figures.items():
        print(f"{name:<{width}}  {median(values):>10.2f} {min(values):>10.2f} {max(values):>10.2f}")

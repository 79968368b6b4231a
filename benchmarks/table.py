"""A table of figures, each with its middle and its spread."""

from collections.abc import Callable, Mapping, Sequence


def print_table(figures: Mapping[str, Sequence[float]], *, middle: Callable[[Sequence[float]], float]) -> None:
    width = max(len(name) for name in figures)
    print(f"{'':<{width}}  {'median':>10} {'min':>10} {'max':>10}")
    for name, values in figures.items():
        print(f"{name:<{width}}  {middle(values):>10.2f} {min(values):>10.2f} {max(values):>10.2f}")

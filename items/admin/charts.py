"""The geometry of small charts, which the templates draw as SVG without inline styles."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, log10

WIDTH = 480
HEIGHT = 120
GAP = 4
TICKS = 4
"""At most as many gridlines above zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A gridline with its label."""

    y: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The place of one column: what is shown while the pointer or the keyboard is there, and its label on the axis."""

    x: float
    middle: float
    width: float
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`paths` are lines by their kind."""

    name: str
    title: str
    description: str
    keys: Sequence[tuple[str, str]]
    ticks: Sequence[Tick]
    slots: Sequence[Slot]
    rectangles: Sequence[Rectangle] = ()
    paths: Sequence[tuple[str, str]] = ()


def scale(highest: float) -> list[float]:
    """Return round numbers from zero to at least the highest value, the same distance from each other."""
    if highest <= 0:
        return [0, 1]
    unit = 10 ** (ceil(log10(highest / TICKS)) - 1)
    step = next(step for step in (unit, 2 * unit, 5 * unit, 10 * unit) if step * TICKS >= highest * (1 - 1e-9))
    return [step * number for number in range(ceil(highest / step - 1e-9) + 1)]


def ticks(values: Sequence[float], label: Callable[[float], str]) -> list[Tick]:
    return [Tick(y=round(HEIGHT * (1 - value / values[-1]), 1), label=label(value)) for value in values]


def slots(values: Sequence[str], labels: Sequence[str]) -> list[Slot]:
    step = WIDTH / max(1, len(values))
    return [
        Slot(x=round(place * step, 1), middle=round((place + 0.5) * step, 1), width=step, value=value, label=label)
        for place, (value, label) in enumerate(zip(values, labels, strict=True))
    ]


def stacked(columns: Sequence[Sequence[float]], kinds: Sequence[str], *, top: float) -> list[Rectangle]:
    """Return a column for each row of numbers, the first at the bottom. A column of `top` fills the height."""
    step = WIDTH / max(1, len(columns))
    rectangles = []
    for place, column in enumerate(columns):
        below = 0.0
        for kind, value in zip(kinds, column, strict=True):
            height = HEIGHT * value / top if top else 0
            y = HEIGHT - below - height
            rectangles.append(_rectangle(kind, place * step + GAP / 2, y, step - GAP, height))
            below += height
    return [rectangle for rectangle in rectangles if rectangle.height]


def lines(values: Sequence[float | None], *, top: float) -> list[str]:
    """Return the points of a line through the middles of the columns, broken where a value is missing."""
    step = WIDTH / max(1, len(values))
    points = [None if value is None else _point(place, value, top, step) for place, value in enumerate(values)]
    pieces = (list(piece) for is_known, piece in groupby(points, key=bool) if is_known)
    return [" ".join(f"{x:g},{y:g}" for x, y in _visible(piece, step)) for piece in pieces]


def share(value: float, top: float) -> int:
    """Return the length of a bar in hundredths of the longest one, and at least 1 for any value above zero."""
    return max(1, round(100 * value / top)) if value and top else 0


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> Rectangle:
    return Rectangle(kind=kind, x=round(x, 1), y=round(y, 1), width=round(width, 1), height=round(height, 1))


def _point(place: int, value: float, top: float, step: float) -> tuple[float, float]:
    height = HEIGHT * value / top if top else 0
    return round((place + 0.5) * step, 1), round(HEIGHT - height, 1)


def _visible(piece: Sequence[tuple[float, float] | None], step: float) -> Iterator[tuple[float, float]]:
    """Draw a single value as a dash, because a line of one point is invisible."""
    points = [point for point in piece if point]
    if len(points) > 1:
        return iter(points)
    ((x, y),) = points
    return iter(((x - step / 4, y), (x + step / 4, y)))

"""The geometry of charts, and labels for numbers and durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from items.admin.charts import HEIGHT, TICKS, WIDTH, lines, scale, share, stacked, ticks
from items.admin.labels import Count, duration

numbers = st.integers(0, 10**6)


@given(st.lists(st.tuples(numbers, numbers), max_size=30))
def test_highest_column_fills_the_height(columns: list[tuple[int, int]]) -> None:
    top = max((sum(column) for column in columns), default=0)
    rectangles = stacked(columns, kinds=("good", "bad"), top=top)

    for each in rectangles:
        assert -0.1 <= each.x <= WIDTH
        assert -0.2 <= each.y <= HEIGHT
        assert each.x + each.width <= WIDTH + 0.2
        assert each.y + each.height <= HEIGHT + 0.2
    if any(sum(column) for column in columns):
        assert min(each.y for each in rectangles) == pytest.approx(0, abs=0.2)


def test_numbers_of_a_column_are_stacked() -> None:
    good, bad = stacked([(3, 1)], kinds=("good", "bad"), top=4)

    assert (good.kind, good.y, good.height) == ("good", HEIGHT / 4, HEIGHT * 3 / 4)
    assert (bad.kind, bad.y, bad.height) == ("bad", 0, HEIGHT / 4)


def test_line_is_broken_where_a_value_is_missing() -> None:
    assert lines([10, 5, None, 0], top=10) == ["60,0 180,60", "390,120 450,120"]


def test_line_without_values_has_no_points() -> None:
    assert lines([None, None], top=0) == []
    assert lines([], top=0) == []


def test_line_of_zeros_is_at_the_bottom() -> None:
    assert lines([0, 0], top=0) == ["120,120 360,120"]


@pytest.mark.parametrize(
    ("highest", "values"),
    [
        (0, [0, 1]),
        (1, [0, 0.5, 1]),
        (4, [0, 1, 2, 3, 4]),
        (7, [0, 2, 4, 6, 8]),
        (96, [0, 50, 100]),
        (10_000, [0, 5_000, 10_000]),
        (0.03, [0, 0.01, 0.02, 0.03]),
    ],
)
def test_axis_has_round_numbers(highest: float, values: list[float]) -> None:
    assert scale(highest) == pytest.approx(values)


@given(st.floats(1e-9, 1e9))
def test_axis_reaches_the_highest_value(highest: float) -> None:
    values = scale(highest)

    assert values[-1] >= highest * (1 - 1e-6)
    assert values[-2] < highest
    assert len(values) <= TICKS + 1


def test_gridlines_go_from_bottom_to_top() -> None:
    assert [(tick.y, tick.label) for tick in ticks([0, 5, 10], str)] == [(HEIGHT, "0"), (HEIGHT / 2, "5"), (0, "10")]


@pytest.mark.parametrize(("value", "top", "hundredths"), [(0, 0, 0), (0, 9, 0), (1, 9_999, 1), (9, 9, 100), (1, 3, 33)])
def test_bar_of_a_small_value_is_visible(value: int, top: int, hundredths: int) -> None:
    assert share(value, top) == hundredths


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 ms"),
        (0, "0 ms"),
        (0.0404, "40 ms"),
        (2.46, "2.5 s"),
        (50, "50 s"),
        (119, "119 s"),
        (180, "3 min"),
        (7_200, "2 h"),
        (90_000, "25 h"),
        (200_000, "2 d"),
    ],
)
def test_duration_has_a_suitable_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(1), "1 item"),
        (Count(10_000), "10,000 items"),
        (Count(98_765, is_exact=False), "about 99,000 items"),
        (Count(1_234_567, is_exact=False), "about 1,200,000 items"),
        (Count(7, is_exact=False), "about 7 items"),
    ],
)
def test_estimate_is_rounded_and_labelled(count: Count, words: str) -> None:
    assert count.of_items == words

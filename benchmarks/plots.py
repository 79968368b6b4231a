"""One picture for each benchmark: a small panel for each measure, a bar for each contender."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.figures import Figure, Report
from benchmarks.tables import number

mpl.use("Agg")
import matplotlib.pyplot as plt  # needs the line above

OURS, THEIRS = "#1f6f5c", "#b8b8b0"
COLUMNS = 3
WIDE = 20


def draw(report: Report, folder: Path) -> None:
    panels = {measure: figures for measure, figures in report.by_measure().items() if len(figures) > 1}
    if not panels:
        return
    rows = -(-len(panels) // COLUMNS)
    picture, axes = plt.subplots(
        rows, COLUMNS, figsize=(5 * COLUMNS, 0.9 + 2.2 * rows), squeeze=False, layout="constrained"
    )
    for axis, (measure, figures) in zip(axes.flat, panels.items(), strict=False):
        draw_panel(axis, measure, figures)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    on = report.machine
    picture.suptitle(f"{report.name} · {on['processor']}, {on['cores']} cores, {on['postgresql']}")
    picture.savefig(folder / f"{report.name}.png", dpi=110)
    plt.close(picture)


def draw_panel(axis: Any, measure: str, figures: Sequence[Figure]) -> None:
    medians = [figure.median for figure in figures]
    low = [figure.median - min(figure.samples) for figure in figures]
    high = [max(figure.samples) - figure.median for figure in figures]
    colours = [OURS if figure.contender.startswith("LiteVault") else THEIRS for figure in figures]
    axis.barh(
        [figure.contender for figure in figures], medians, xerr=[low, high], color=colours, ecolor="#555555", capsize=2
    )
    for place, value in enumerate(medians):
        axis.annotate(
            f" {number(value)}", (value, place), va="center", fontsize=8, xytext=(4, 6), textcoords="offset points"
        )
    # On a plain scale the smaller bars would not be seen.
    is_wide = min(medians) > 0 and max(medians) > WIDE * min(medians)
    if is_wide:
        axis.set_xscale("log")
    axis.invert_yaxis()
    units = ", ".join(filter(None, (figures[0].unit, "logarithmic" if is_wide else "")))
    axis.set_title(f"{measure} ({units})" if units else measure, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)

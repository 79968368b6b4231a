"""Tables of figures: for a terminal, and in Markdown for the pages that show them."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.figures import Figure, Report

WHOLE_FROM = 100

HEADS = ("", "median", "min", "max", "unit", "compared")


def print_report(report: Report) -> None:
    rows = list(_rows(report))
    width = max(len(row[0]) for row in rows)
    print(
        f"\n{report.name}\n\n{HEADS[0]:<{width}} {HEADS[1]:>10} {HEADS[2]:>10} {HEADS[3]:>10} {HEADS[4]:<8} {HEADS[5]}"
    )
    for name, middle, least, most, unit, ratio in rows:
        print(f"{name:<{width}} {middle:>10} {least:>10} {most:>10} {unit:<8} {ratio}".rstrip())
    for remark in report.remarks:
        print(f"· {remark}")


def markdown(report: Report) -> str:
    lines = [f"| {' | '.join((report.name, *HEADS[1:]))} |", "|---|---:|---:|---:|---|---|"]
    lines += [f"| {' | '.join(row)} |".replace("·", "&nbsp;&nbsp;") for row in _rows(report)]
    return "\n".join([*lines, "", *(f"- {remark}" for remark in report.remarks), ""])


def _rows(report: Report) -> Iterator[tuple[str, str, str, str, str, str]]:
    for measure, figures in report.by_measure().items():
        if len(figures) > 1:
            yield (measure, "", "", "", "", "")
        for figure in figures:
            name = f"· {figure.contender}" if len(figures) > 1 else f"{measure}: {figure.contender}"
            middle, least, most = figure.median, min(figure.samples), max(figure.samples)
            yield (name, number(middle), number(least), number(most), figure.unit, _ratio(figure, figures))


def _ratio(figure: Figure, figures: Sequence[Figure]) -> str:
    """Paired round by round, so that what disturbed a round disturbed both sides of its ratio."""
    first = figures[0]
    if figure is first or len(figure.samples) != len(first.samples):
        return ""
    pairs = zip(figure.samples, first.samples, strict=True)
    ratios = [this / that for this, that in pairs if this > 0 and that > 0]
    if not ratios:
        return ""
    if not figure.better:
        return f"{number(median(ratios))} of the first"
    ratio = median(ratios) if figure.better == "lower" else 1 / median(ratios)
    return f"LiteVault {number(ratio)} times better" if ratio >= 1 else f"LiteVault {number(1 / ratio)} times worse"


def number(value: float) -> str:
    """Three digits, and whole numbers whole."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:.3g}"

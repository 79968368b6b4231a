"""What is printed: a line for each text, and a table with the score of each run."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from verification.outcomes import Outcome
from verification.runs import Run


def print_outcomes(outcomes: Iterable[Outcome], *, names: Mapping[str, str]) -> None:
    """Titles come last, because letters of some scripts are wider than one column."""
    width = max(map(len, names.values()))
    print(f"{'text':<{width}}  {'seconds':>7}  {'verdict':<20}  language  title | tags")
    for outcome in outcomes:
        seconds = "" if outcome.seconds is None else f"{outcome.seconds:.1f}"
        name = names[outcome.raw_text]
        print(f"{name:<{width}}  {seconds:>7}  {outcome.verdict:<20}  {outcome.language:<8}  {outcome.what_it_says}")


def print_scores(runs: Sequence[Run]) -> None:
    lines = [["", *runs[0].score.columns()], *([run.label, *run.score.columns().values()] for run in runs)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def names_of(texts: Path) -> dict[str, str]:
    """From each text to the name of its file."""
    return {file.read_text(encoding="utf-8"): file.stem for file in sorted(texts.iterdir())}

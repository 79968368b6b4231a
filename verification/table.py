"""What is printed: a line for each text, and one for all."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from verification.outcomes import Outcome


def print_outcomes(outcomes: Iterable[Outcome], *, names: Mapping[str, str]) -> None:
    """Titles come last, because letters of some scripts are wider than one column."""
    width = max(map(len, names.values()))
    print(f"{'text':<{width}}  {'seconds':>7}  {'verdict':<20}  language  title | tags")
    for outcome in outcomes:
        seconds = "" if outcome.seconds is None else f"{outcome.seconds:.1f}"
        name = names[outcome.raw_text]
        print(f"{name:<{width}}  {seconds:>7}  {outcome.verdict:<20}  {outcome.language:<8}  {outcome.what_it_says}")


def summary(outcomes: Sequence[Outcome]) -> str:
    seconds = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    tokens = [outcome.completion_tokens for outcome in outcomes if outcome.completion_tokens]
    return (
        f"{sum(outcome.is_valid for outcome in outcomes)} of {len(outcomes)} valid, "
        f"{sum(outcome.keeps_the_language for outcome in outcomes)} in the language of the text; "
        f"seconds per text: median {median(seconds or [0]):.1f}, longest {max(seconds, default=0):.1f}; "
        f"output tokens per text: median {median(tokens or [0]):.0f}, most {max(tokens, default=0)}"
    )


def names_of(texts: Path) -> dict[str, str]:
    """From each text to the name of its file."""
    return {file.read_text(encoding="utf-8"): file.stem for file in sorted(texts.iterdir())}

"""The page on which a person judges: for each text, the drafts of all runs side by side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from verification.outcomes import Outcome
from verification.references import Reference
from verification.runs import Run

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; }
table { border-collapse: collapse; margin-bottom: 2em; }
th, td { border: 1px solid #bbb; padding: .4em .6em; text-align: left; vertical-align: top; min-width: 7em; }
td.text { white-space: pre-wrap; min-width: 20em; max-width: 30em; }
td.draft { min-width: 16em; max-width: 26em; }
.quiet { color: #666; }
"""


def page(runs: Sequence[Run], *, names: Mapping[str, str], references: Mapping[str, Reference]) -> str:
    """Return the scores and the drafts in HTML. Everything from a model or a text is escaped."""
    heading = row("th", ["run", *runs[0].score.columns()])
    scores = (row("td", [run.label, *run.score.columns().values()]) for run in runs)
    drafts = (f"<tr>{''.join(cells(text, name, runs, references))}</tr>" for text, name in names.items())
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Drafts side by side</title>'
        f"<style>{STYLE}</style>\n<h1>Drafts side by side</h1>\n<table>{heading}{''.join(scores)}</table>\n"
        f"<table>{row('th', ['text', *(run.label for run in runs)])}{''.join(drafts)}</table></html>\n"
    )


def cells(text: str, name: str, runs: Iterable[Run], references: Mapping[str, Reference]) -> Iterator[str]:
    reference = f"\n\n{references[name].title}" if name in references else ""
    yield f'<td class="text" dir="auto"><b>{escape(name)}</b>\n{escape(text)}<i>{escape(reference)}</i></td>'
    for run in runs:
        yield f'<td class="draft" dir="auto">{draft(run.outcome_of(text))}</td>'


def draft(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    seconds = "" if outcome.seconds is None else f", {outcome.seconds:.1f} s"
    footer = f'<p class="quiet">{escape(outcome.verdict)}{seconds}</p>'
    if not outcome.is_valid:
        return f"{escape(outcome.what_it_says)}{footer}"
    tags = escape(", ".join(outcome.tags))
    return f"<b>{escape(outcome.title or '')}</b><p>{escape(outcome.summary or '')}</p><p>{tags}</p>{footer}"


def row(tag: str, values: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(value)}</{tag}>' for value in values)}</tr>"

"""The results of trials as a table or as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from enrichment.errors import EnrichmentError
from enrichment.management.table import table_lines
from enrichment.schemas import EnrichmentResult
from enrichment.trial import Trial

UNKNOWN = "unknown"


def report_lines(trials: Sequence[Trial], *, width: int) -> Iterator[str]:
    """Yield a table with one column for each model, without the rows that are empty for all."""
    columns = [_column(trial) for trial in trials]
    labels = [label for label in columns[0] if any(column[label] for column in columns)]
    yield from table_lines(labels, [[column[label] for label in labels] for column in columns], width=width)


def _column(trial: Trial) -> dict[str, str]:
    draft, usage = trial.draft, trial.usage
    return {
        "model": trial.model,
        "title": draft.title if draft else "",
        "summary": draft.summary if draft else "",
        "tags": ", ".join(draft.tags) if draft else "",
        "type": draft.source_type if draft else "",
        "error": trial.error,
        "requests": f"{trial.requests}",
        "seconds": f"{trial.seconds:.1f}",
        "tokens": f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out" if usage else UNKNOWN,
        "cost": UNKNOWN if usage is None or usage.cost_usd is None else f"${usage.cost_usd:.6f}",
    }


def trial_record(trial: Trial) -> dict[str, Any]:
    """Return a trial with the names of the API."""
    draft, usage = trial.draft, trial.usage
    return {
        "model": trial.model,
        "draft": _draft_record(draft) if draft else None,
        "error": None if draft else _error_record(trial.outcome),
        "requests": trial.requests,
        "seconds": round(trial.seconds, 3),
        "promptTokens": usage and usage.prompt_tokens,
        "completionTokens": usage and usage.completion_tokens,
        "costUsd": None if usage is None or usage.cost_usd is None else str(usage.cost_usd),
    }


def _draft_record(draft: EnrichmentResult) -> dict[str, Any]:
    return {"title": draft.title, "summary": draft.summary, "tags": draft.tags, "sourceType": draft.source_type}


def _error_record(error: object) -> dict[str, Any]:
    """Settings that are not valid have no code."""
    if isinstance(error, EnrichmentError):
        return {
            "code": error.reason.code,
            "message": error.message,
            "cause": error.cause,
            "httpStatus": error.http_status,
        }
    return {"code": None, "message": str(error), "cause": None, "httpStatus": None}

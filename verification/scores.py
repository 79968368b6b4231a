"""How good the drafts of one run are, as far as that can be counted."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, median

from enrichment.prompts import REQUEST, SYSTEM_PROMPT, TAGS_PROMPT
from enrichment.schemas import EnrichmentSchema
from verification.outcomes import Outcome
from verification.references import Reference

# Scripts without spaces are compared letter by letter.
UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
DESCRIPTIONS = [str(field.description) for field in EnrichmentSchema.model_fields.values()]


def units(text: str) -> list[str]:
    return UNIT.findall(text.casefold())


INSTRUCTIONS = " ".join(f" {' '.join(units(text))} " for text in (SYSTEM_PROMPT, TAGS_PROMPT, REQUEST, *DESCRIPTIONS))


def rouge_1(title: str, reference: str) -> float:
    """Return the F1 score of the words that both titles have."""
    ours, theirs = Counter(units(title)), Counter(units(reference))
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if common else 0.0


def stands_in_instructions(text: str) -> bool:
    """Return whether all of the text, which has several words, is a part of the prompt."""
    words = units(text)
    return len(words) > 1 and f" {' '.join(words)} " in INSTRUCTIONS


def is_echo(outcome: Outcome) -> bool:
    """Return whether the title or a tag repeats the prompt, or begins with the name of a field."""
    fields = tuple(f"{name}:" for name in EnrichmentSchema.model_fields)
    parts = [outcome.title or "", *outcome.tags]
    return any(part.casefold().startswith(fields) or stands_in_instructions(part) for part in parts)


@dataclass(frozen=True, kw_only=True)
class Score:
    """The figures of one run. `rouge` is None without references, `cost_usd` without a price."""

    texts: int
    valid: int
    same_language: int
    echoes: int
    tags: int
    tags_reused: int
    rouge: float | None
    median_seconds: float
    longest_seconds: float
    output_tokens: int
    requests: int | None
    cost_usd: Decimal | None

    def columns(self) -> dict[str, str]:
        """Return what is shown, under its heading."""
        return {
            "valid": f"{self.valid} of {self.texts}",
            "text's language": f"{self.same_language}",
            "echoes": f"{self.echoes}",
            "tags reused": f"{self.tags_reused} of {self.tags}",
            "ROUGE-1": "" if self.rouge is None else f"{self.rouge:.2f}",
            "seconds, median": f"{self.median_seconds:.1f}",
            "longest": f"{self.longest_seconds:.1f}",
            "output tokens": f"{self.output_tokens}",
            "requests": "" if self.requests is None else f"{self.requests}",
            "cost": "unknown" if self.cost_usd is None else f"${self.cost_usd:.4f}",
        }


def score(
    outcomes: Sequence[Outcome],
    *,
    names: Mapping[str, str],
    references: Mapping[str, Reference],
    vocabulary: Collection[str],
    requests: int | None,
) -> Score:
    """Count over the valid drafts. `names` has the name of each text, and `vocabulary` the owner's tags."""
    drafts = [outcome for outcome in outcomes if outcome.is_valid]
    titles = [(draft.title or "", references.get(names[draft.raw_text])) for draft in drafts]
    rouge = [rouge_1(title, reference.title) for title, reference in titles if reference]
    seconds = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    costs = [outcome.cost_usd for outcome in outcomes if outcome.cost_usd is not None]
    tags = [tag for draft in drafts for tag in draft.tags]
    return Score(
        texts=len(outcomes),
        valid=len(drafts),
        same_language=sum(draft.keeps_the_language for draft in drafts),
        echoes=sum(map(is_echo, drafts)),
        tags=len(tags),
        tags_reused=sum(tag in vocabulary for tag in tags),
        rouge=fmean(rouge) if rouge else None,
        median_seconds=median(seconds or [0]),
        longest_seconds=max(seconds, default=0),
        output_tokens=sum(outcome.completion_tokens or 0 for outcome in outcomes),
        requests=requests,
        cost_usd=sum(costs, Decimal(0)) if costs else None,
    )

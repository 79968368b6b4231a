"""One run: a model in a mode, what became of each text, and the score."""

from collections.abc import Sequence
from dataclasses import dataclass

from verification.outcomes import Outcome
from verification.scores import Score


@dataclass(frozen=True)
class Run:
    label: str
    outcomes: Sequence[Outcome]
    score: Score

    def outcome_of(self, text: str) -> Outcome | None:
        return next((outcome for outcome in self.outcomes if outcome.raw_text == text), None)

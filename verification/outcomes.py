"""What became of one text."""

from dataclasses import dataclass
from decimal import Decimal

from verification.languages import language_of

READY = "READY_TO_CONFIRM"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the database: the item, and its only attempt. `seconds` is None if there was no attempt."""

    raw_text: str
    status: str
    title: str | None
    summary: str | None
    tags: list[str]
    enrichment_error: str | None
    seconds: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Decimal | None

    @property
    def is_valid(self) -> bool:
        return self.status == READY

    @property
    def verdict(self) -> str:
        """Valid, the error's code, or the status of an item that has neither."""
        if self.is_valid:
            return "valid"
        return (self.enrichment_error or self.status).partition(":")[0]

    @property
    def what_it_says(self) -> str:
        if self.is_valid:
            return f"{self.title} | {', '.join(self.tags)}"
        return (self.enrichment_error or "").partition(": ")[2]

    @property
    def language(self) -> str:
        """Of the draft, as far as it can be guessed."""
        return language_of(f"{self.title} {self.summary}") if self.is_valid else ""

    @property
    def keeps_the_language(self) -> bool:
        return self.is_valid and self.language == language_of(self.raw_text)

"""What a capture took, what it left out, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from items.capturing.sources import Found, Piece, Refused, Skipped
from items.texts import RAW_TEXT_MAX_LENGTH, Refusal, refusal

EXAMPLES_COUNT = 20

REASONS = {
    Refusal.BLANK: "blank",
    Refusal.TOO_LONG: f"longer than {RAW_TEXT_MAX_LENGTH:,} characters",
    Refusal.NUL: "with NUL characters",
    Refusal.SURROGATE: "not UTF-8",
}


@dataclass(slots=True)
class Tally:
    captured: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[Refused] = field(default_factory=list)

    def accepted(self, found: Iterable[Found], *, is_whole: bool, cut: bool) -> Iterator[str]:
        """The texts that may be captured; the others are noted. Blank pieces are no loss, a blank file may be one."""
        for one in found:
            match one:
                case Piece(origin, text):
                    raw_text = text[:RAW_TEXT_MAX_LENGTH] if cut else text
                    if (why := refusal(raw_text)) is None:
                        yield raw_text
                    elif why is Refusal.BLANK and not is_whole:
                        self.skipped[REASONS[why]] += 1
                    else:
                        self.refuse(Refused(origin, REASONS[why]))
                case Refused():
                    self.refuse(one)
                case Skipped(reason):
                    self.skipped[reason] += 1

    def refuse(self, refused: Refused) -> None:
        self.refused[refused.reason] += 1
        if len(self.examples) < EXAMPLES_COUNT:
            self.examples.append(refused)

    def lines(self, *, owner: str) -> Iterator[str]:
        """The report."""
        yield f"Captured {self.captured:,} for {owner}."
        if self.known:
            yield f"{self.known:,} were captured before."
        if self.refused:
            yield f"Refused {counted(self.refused)}."
            yield from (f"  {one.origin}: {one.reason}" for one in self.examples)
            if more := self.refused.total() - len(self.examples):
                yield f"  … and {more:,} more"
        if REASONS[Refusal.TOO_LONG] in self.refused:
            yield f"With --cut the first {RAW_TEXT_MAX_LENGTH:,} characters of a long text are captured."
        if self.skipped:
            yield f"Skipped {counted(self.skipped)}."


def counted(reasons: Counter[str]) -> str:
    """`3: 2 blank, 1 binary`."""
    return f"{reasons.total():,}: {', '.join(f'{count:,} {reason}' for reason, count in reasons.most_common())}"

"""Captures of many texts: accept the valid ones, store each once, and summarise what was left out."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User

from items.models import Item
from items.models.item import in_order, unsaved_item
from items.texts import Refusal, raw_text_max_length, refusal
from items.transfer.sources import Converted, Found, FoundText, Refusals, Refused, Skipped

NAMESPACE = uuid.UUID("6f6e6365-6c69-4465-8661-756c74000001")
"""A namespace of our own, so that the ids of capture_once never equal the name-based ids of another program."""

REASONS = {
    Refusal.BLANK: "blank",
    Refusal.TOO_LONG: "longer than {limit:,} characters",
    Refusal.NUL: "with NUL characters",
    Refusal.SURROGATE: "not UTF-8",
}


def capture_once(owner: User, raw_texts: Iterable[str], *, enrich: bool) -> tuple[list[uuid.UUID], int]:
    """Store the texts that no earlier call has stored for the owner. Return all ids and the number of new items.

    An id follows from the owner and the text, so equal texts are one item, whatever its status is now. A discarded
    item does not come back. Lists show the texts in the order given.
    """
    items: dict[uuid.UUID, Item] = {}
    for raw_text in raw_texts:
        item = unsaved_item(owner=owner, raw_text=raw_text, enrich=enrich)
        item.id = uuid.uuid5(NAMESPACE, f"{owner.pk}:{raw_text}")
        items.setdefault(item.id, item)
    known = set(Item.objects.filter(id__in=items).values_list("id", flat=True))
    new = in_order([item for item in items.values() if item.id not in known])
    # Another process may be capturing the same texts.
    Item.objects.bulk_create(new, ignore_conflicts=True)
    return list(items), len(new)


@dataclass(slots=True)
class CaptureSummary:
    captured: int = 0
    known: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_files: Refusals = field(default_factory=Refusals)
    encodings: Counter[str] = field(default_factory=Counter)
    converted: Refusals = field(default_factory=Refusals)

    def accept(self, found: Iterable[Found], *, is_whole: bool, cut: bool) -> Iterator[str]:
        """Yield the texts that may be captured, and count the others.

        A blank piece of a file is skipped. A blank file is refused, because it may have lost its content.
        """
        for entry in found:
            match entry:
                case FoundText(origin, text):
                    raw_text = text[: raw_text_max_length()] if cut else text
                    if (rejection := refusal(raw_text)) is None:
                        yield raw_text
                    elif rejection is Refusal.BLANK and not is_whole:
                        self.skipped[reason_of(rejection)] += 1
                    else:
                        self.refuse(Refused(origin, reason_of(rejection)))
                case Refused():
                    self.refuse(entry)
                case Skipped(_, reason):
                    self.skipped[reason] += 1
                    self.skipped_files.add(entry)
                case Converted(_, encoding):
                    self.encodings[encoding] += 1
                    self.converted.add(entry)

    def refuse(self, refused: Refused) -> None:
        self.refused[refused.reason] += 1
        self.refusals.add(refused)

    def record(self) -> dict[str, Any]:
        return {
            "captured": self.captured,
            "known": self.known,
            "converted": self.converted.record(),
            "refused": {"reasons": dict(self.refused), **self.refusals.record()},
            "skipped": {"reasons": dict(self.skipped), **self.skipped_files.record()},
        }

    def lines(self, *, owner: str) -> Iterator[str]:
        yield f"Captured {self.captured:,} for {owner}."
        if self.known:
            yield f"{self.known:,} were captured before."
        if self.encodings:
            yield f"Converted {by_reason(self.encodings)}."
            yield from self.converted.lines()
        if self.refused:
            yield f"Refused {by_reason(self.refused)}."
            yield from self.refusals.lines()
        if reason_of(Refusal.TOO_LONG) in self.refused:
            yield f"With --cut the first {raw_text_max_length():,} characters of a long text are captured."
        if reason_of(Refusal.SURROGATE) in self.refused:
            yield "With --encoding NAME, such as windows-1252, files in this encoding are captured."
        if self.skipped:
            yield f"Skipped {by_reason(self.skipped)}."
            yield from self.skipped_files.lines()


def reason_of(refusal: Refusal) -> str:
    return REASONS[refusal].format(limit=raw_text_max_length())


def by_reason(reasons: Counter[str]) -> str:
    """`3: 2 blank, 1 binary`."""
    return f"{reasons.total():,}: {', '.join(f'{count:,} {reason}' for reason, count in reasons.most_common())}"

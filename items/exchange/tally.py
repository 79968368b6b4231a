"""What an import took, what was there already, and what it refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from items.capturing.sources import Refused
from items.exchange.importing import Found, Stored

EXAMPLES_COUNT = 20


@dataclass(slots=True)
class ImportTally:
    imported: int = 0
    already_there: int = 0
    refused: int = 0
    examples: list[Refused] = field(default_factory=list)

    def accepted(self, found: Iterable[Found | Refused]) -> Iterator[Found]:
        """The records; what is none is noted."""
        for one in found:
            if isinstance(one, Refused):
                self.refuse(one)
            else:
                yield one

    def add(self, stored: Stored) -> None:
        self.imported += stored.imported
        self.already_there += stored.already_there
        for one in stored.refused:
            self.refuse(one)

    def refuse(self, refused: Refused) -> None:
        self.refused += 1
        if len(self.examples) < EXAMPLES_COUNT:
            self.examples.append(refused)

    def lines(self, *, owner: str) -> Iterator[str]:
        """The report."""
        yield f"Imported {self.imported:,} for {owner}."
        if self.already_there:
            yield f"{self.already_there:,} were there already, and stay as they are."
        if self.refused:
            yield f"Refused {self.refused:,}."
            yield from (f"  {one.origin}: {one.reason}" for one in self.examples)
            if more := self.refused - len(self.examples):
                yield f"  … and {more:,} more"

"""Progress bars, and waiting until captured items are enriched."""

import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NoReturn
from uuid import UUID

from tqdm import tqdm

from items.models import Item
from items.states import Status

POLL_SECONDS = 0.25
# The worker goes by age: the next to be done are among the oldest, so that each query can stay small.
WINDOW = 2000
DELETED = "deleted"
LABELS = {
    Status.READY_TO_CONFIRM: "ready to confirm",
    Status.ARCHIVED: "archived",
    Status.DISCARDED: "discarded",
    DELETED: "deleted",
}


def progress_bar(
    label: str, *, total: int | None, quiet: bool = False, unit: str = " items", **options: Any
) -> "tqdm[NoReturn]":
    """Return a bar with the rate and the remaining time, which appears on standard error if that is a terminal."""
    is_shown = sys.stderr.isatty() and not quiet
    return tqdm(desc=label, total=total, unit=unit, disable=not is_shown, file=sys.stderr, **options)


def bytes_progress_bar(label: str, *, total: int | None, quiet: bool = False) -> "tqdm[NoReturn]":
    return progress_bar(label, total=total, quiet=quiet, unit="B", unit_scale=True, unit_divisor=1024)


class EnrichmentProgress:
    """The items that are still being enriched, oldest first, and counts of the others."""

    def __init__(self, ids: Iterable[UUID]) -> None:
        self.remaining = deque(ids)
        self.statuses: Counter[str] = Counter()
        self.error_codes: Counter[str] = Counter()

    def wait(self, *, timeout_seconds: float | None) -> Iterator[int]:
        """Poll until no item remains or the time is up, and yield the number of items done since the last poll."""
        deadline = time.monotonic() + timeout_seconds if timeout_seconds is not None else float("inf")
        while self.remaining and time.monotonic() < deadline:
            done = self.poll()
            yield done
            if self.remaining and done < WINDOW:
                time.sleep(max(0, min(POLL_SECONDS, deadline - time.monotonic())))

    def poll(self) -> int:
        """Count the oldest items that are no longer being enriched, and return their number."""
        window = list(islice(self.remaining, WINDOW))
        columns = Item.objects.filter(id__in=window).values_list("id", "status", "enrichment_error")
        found = {item_id: (status, error) for item_id, status, error in columns}
        enriching = []
        for item_id in window:
            self.remaining.popleft()
            status, error = found.get(item_id, (DELETED, None))
            if status == Status.ENRICHING:
                enriching.append(item_id)
            elif status == Status.FAILED:
                self.error_codes[error.partition(":")[0]] += 1
            else:
                self.statuses[status] += 1
        self.remaining.extendleft(reversed(enriching))
        return len(window) - len(enriching)

    def record(self, *, seconds: float) -> dict[str, Any]:
        return {
            "statuses": dict(self.statuses),
            "errorCodes": dict(self.error_codes),
            "enriching": len(self.remaining),
            "seconds": round(seconds, 1),
        }

    def summary(self, *, seconds: float) -> str:
        """`After 4.2 s: 495 ready to confirm, 2 failed (2 LLM_TIMEOUT), 1 still enriching.`"""
        parts = [f"{self.statuses[status]:,} {label}" for status, label in LABELS.items() if self.statuses[status]]
        if self.error_codes:
            codes = ", ".join(f"{count:,} {code}" for code, count in self.error_codes.most_common())
            parts.append(f"{self.error_codes.total():,} failed ({codes})")
        if self.remaining:
            parts.append(f"{len(self.remaining):,} still enriching")
        return f"After {seconds:.1f} s: {', '.join(parts) or 'nothing to enrich'}."

"""Watch captured items until the worker is done with them."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from django.db import connection

from items.models import Item
from items.states import Status
from items.workers import listening_workers

POLL_SECONDS = 0.25
# The worker goes by age: the next to be done are among the oldest, so that each look can stay small.
WINDOW = 2000
DELETED = "deleted"
WORDS = {
    Status.READY_TO_CONFIRM: "ready to confirm",
    Status.ARCHIVED: "archived",
    Status.DISCARDED: "discarded",
    DELETED: "deleted",
}


class Watch:
    """Items that are still being enriched, oldest first, and what has become of the others."""

    def __init__(self, ids: Iterable[UUID]) -> None:
        self.left = deque(ids)
        self.statuses: Counter[str] = Counter()
        self.error_codes: Counter[str] = Counter()

    def until_done(self, *, timeout_seconds: float | None) -> Iterator[int]:
        """Look until none is left or the time is up. Each look gives how many have come out since the last one."""
        deadline = time.monotonic() + timeout_seconds if timeout_seconds is not None else float("inf")
        while self.left and time.monotonic() < deadline:
            done = self.look()
            yield done
            if self.left and done < WINDOW:
                time.sleep(max(0, min(POLL_SECONDS, deadline - time.monotonic())))

    def look(self) -> int:
        """Take those that have come out of enrichment off the list; say how many that were."""
        window = list(islice(self.left, WINDOW))
        columns = Item.objects.filter(id__in=window).values_list("id", "status", "enrichment_error")
        verdicts = {item: (status, error) for item, status, error in columns}
        staying = []
        for item in window:
            self.left.popleft()
            status, error = verdicts.get(item, (DELETED, None))
            if status == Status.ENRICHING:
                staying.append(item)
            elif status == Status.FAILED:
                self.error_codes[error.partition(":")[0]] += 1
            else:
                self.statuses[status] += 1
        self.left.extendleft(reversed(staying))
        return len(window) - len(staying)

    def report(self, *, seconds_taken: float) -> str:
        """`After 4.2 s: 495 ready to confirm, 2 failed (2 LLM_TIMEOUT), 1 still enriching.`"""
        parts = [f"{self.statuses[status]:,} {word}" for status, word in WORDS.items() if self.statuses[status]]
        if self.error_codes:
            codes = ", ".join(f"{count:,} {code}" for code, count in self.error_codes.most_common())
            parts.append(f"{self.error_codes.total():,} failed ({codes})")
        if self.left:
            parts.append(f"{len(self.left):,} still enriching")
        return f"After {seconds_taken:.1f} s: {', '.join(parts) or 'nothing to enrich'}."


def is_listener_alive() -> bool:
    """Whether a worker listens for items in this database."""
    return bool(listening_workers(connection))

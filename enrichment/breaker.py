"""The circuit breaker: while the provider is down, items wait instead of using up their attempts."""

import time
from collections.abc import Callable

from postgres.backoff import Backoff

FAILURES_TO_OPEN = 5
BACKOFF = Backoff(first_seconds=2.0, longest_seconds=30.0)


class Breaker:
    """Opens after several transient failures in a row.

    While it is open, one item at a time probes the provider, with growing pauses, until one gets a response.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._failed_probes = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES_TO_OPEN

    def seconds_until_probe(self) -> float:
        """Return the time until the next item may be tried, 0 if it may be now."""
        return max(0.0, self._probe_at - self._clock()) if self.is_open else 0.0

    def record_response(self) -> None:
        """Close the breaker. A refusal is a response, too."""
        self._failures = 0
        self._failed_probes = 0

    def record_failure(self) -> None:
        """Count a failure. Only a failed probe makes the pause longer, not a call from before the breaker opened."""
        was_probing = self.is_open and self.seconds_until_probe() == 0
        self._failures += 1
        self._failed_probes += was_probing
        if was_probing or self._failures == FAILURES_TO_OPEN:
            self._probe_at = self._clock() + BACKOFF.seconds(self._failed_probes + 1)

"""Pauses between retries."""

import random
from dataclasses import dataclass

# Far above any limit in use, and far below an overflow.
MOST_DOUBLINGS = 30


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """A pause that doubles after each failure in a row, up to a limit."""

    first_seconds: float
    longest_seconds: float

    def seconds(self, failures: int) -> float:
        return min(self.first_seconds * 2.0 ** min(failures - 1, MOST_DOUBLINGS), self.longest_seconds)

    def jittered_seconds(self, failures: int) -> float:
        """Return the pause times a random factor from 0.5 to 1.5, so that clients do not all come back at once."""
        return self.seconds(failures) * jitter(0.5, 1.5)


def jitter(low: float, high: float) -> float:
    """Return a random factor."""
    return random.uniform(low, high)  # no secret

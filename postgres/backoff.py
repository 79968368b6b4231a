"""Pauses between retries."""

import random

# Far above any limit in use, and far below an overflow.
MOST_DOUBLINGS = 30


def doubled_seconds(failures: int, *, first_seconds: float, longest_seconds: float) -> float:
    """Return the pause after a number of failures in a row: doubled after each, up to a limit."""
    return min(first_seconds * 2.0 ** min(failures - 1, MOST_DOUBLINGS), longest_seconds)


def backoff_seconds(failures: int, *, first_seconds: float, longest_seconds: float) -> float:
    """Return doubled_seconds() times a random factor from 0.5 to 1.5, so that clients do not retry in step."""
    seconds = doubled_seconds(failures, first_seconds=first_seconds, longest_seconds=longest_seconds)
    return seconds * random.uniform(0.5, 1.5)

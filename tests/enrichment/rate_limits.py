"""Rate limits as providers count them. `refusal()` returns None for an accepted request, or else its Retry-After."""

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol


class RateLimiter(Protocol):
    def refusal(self) -> float | None: ...


class FixedWindow:
    """Accepts so many requests in each window. A window begins with a request."""

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float]) -> None:
        self._requests, self._seconds, self._clock = requests, seconds, clock
        self._began_at = -math.inf
        self._accepted = 0

    def refusal(self) -> float | None:
        now = self._clock()
        if now >= self._began_at + self._seconds:
            self._began_at, self._accepted = now, 0
        if self._accepted == self._requests:
            return self._began_at + self._seconds - now
        self._accepted += 1
        return None


class SlidingWindow:
    """Accepts so many requests in any window."""

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock = seconds, clock
        self._accepted: deque[float] = deque([-math.inf] * requests, maxlen=requests)

    def refusal(self) -> float | None:
        now = self._clock()
        if (free_at := self._accepted[0] + self._seconds) > now:
            return free_at - now
        self._accepted.append(now)
        return None


class TokenBucket:
    """Accepts a burst, and then one request after another."""

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float]) -> None:
        self._requests, self._rate, self._clock = requests, requests / seconds, clock
        self._level, self._filled_at = float(requests), clock()

    def refusal(self) -> float | None:
        now = self._clock()
        self._level = min(self._requests, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._level < 1:
            return (1 - self._level) / self._rate
        self._level -= 1
        return None

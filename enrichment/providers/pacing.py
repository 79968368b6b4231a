"""The gate in front of one model: it lets requests pass at the rate that the provider allows.

After a 429 the gate stays closed until the time that the provider gives. It then lets requests pass one by one, a
little slower than the provider accepted them before, and a little faster with each reply.

Each process has gates of its own. Those of several processes share a limit as TCP connections share a line.
"""

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from postgres.backoff import Backoff

# Without a time from the provider. Doubles until there is a reply.
BACKOFF = Backoff(first_seconds=1.0, longest_seconds=60.0)
DECREASE = 0.98
"""How much slower than the accepted rate the gate starts again."""
MAX_SAMPLE = 20
"""The most accepted requests that make the measured rate more trustworthy, and its increase slower."""
MAX_INTERVAL_SECONDS = 60.0
"""The longest time between two requests, however many were refused: most providers count by the minute."""
MAX_WAITS = 12
"""The same while none is accepted, in times that the provider requested."""
IDLE_SECONDS = 1.0
"""After a longer time without requests, the rate is measured anew."""
FORGET_SECONDS = 60.0
"""After a longer time without requests, the limit is forgotten."""
AHEAD_SECONDS = 5.0
"""How long requests may wait at the gate. Later ones are better left to other workers."""


@dataclass(slots=True)
class Passage:
    """One request that has passed the gate. Set `is_accepted` or `is_refused` by the response, neither without one."""

    epoch: int
    passed_at: float
    tokens: int
    is_accepted: bool = False
    is_refused: bool = False
    retry_after: float | None = None
    tokens_used: int | None = None


class Gate:
    """Lets requests pass in the order in which they came.

    An epoch begins when the gate opens after a refusal, or after idleness. The rate is measured from its beginning
    until the gate opens again, or over several epochs if the later ones had no request accepted.
    """

    def __init__(self, *, requests_per_minute: int | None = None, tokens_per_minute: int | None = None) -> None:
        self._min_interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_seconds = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._queue = asyncio.Lock()
        self.refused = 0
        self._waiting = 0
        self._in_flight = 0
        self._last_tokens = 0
        self._opens_at = 0.0
        self._idle_since = -math.inf
        self._rate = math.inf
        self._step = 0.0
        self._closings_in_row = 0
        self._is_closed = False
        self._epoch = 0
        self._began_at = 0.0
        self._passed = 0
        self._last_passed_at: deque[float] = deque(maxlen=MAX_SAMPLE)
        self._refused_in_epoch = 0
        self._refusal_seconds = math.inf
        # Of the last epoch that had any.
        self._samples = [(1, 0.0)]

    @property
    def requests_per_minute(self) -> float:
        """The rate at which the gate lets requests pass now, infinite if it does not limit them."""
        interval = self._interval()
        return 60 / interval if interval else math.inf

    def wait_seconds(self) -> float:
        """Return how long a request that comes now would wait."""
        return max(0.0, self._opens_at - _now()) + self._waiting * self._interval()

    def capacity(self) -> float:
        """Return how many requests may be in flight or waiting, so that none has to wait for long."""
        seconds = AHEAD_SECONDS - max(0.0, self._opens_at - _now())
        interval = self._interval()
        if seconds < 0:
            return self._in_flight
        return self._in_flight + 1 + (math.floor(seconds / interval) if interval else math.inf)

    async def wait(self, *, tokens: int = 0) -> Passage:
        """Wait for this request's turn. Send it at once afterwards, inside `passing()`."""
        has_waited = self._queue.locked()
        self._waiting += 1
        try:
            async with self._queue:
                while (seconds := self._opens_at - _now()) > 0:  # it may be closed again meanwhile
                    has_waited = True
                    await asyncio.sleep(seconds)
                return self._let_pass(tokens, has_waited=has_waited)
        finally:
            self._waiting -= 1

    @contextmanager
    def passing(self, passage: Passage) -> Iterator[None]:
        """Learn from the response, as it stands in `passage` at the end of the block."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._idle_since = _now()
            if passage.is_refused:
                self._close(passage)
            elif passage.is_accepted:
                self._record_reply(passage)

    def _interval(self) -> float:
        """Return the seconds between two requests."""
        return max(1 / self._rate, self._min_interval, self._last_tokens * self._token_seconds)

    def _let_pass(self, tokens: int, *, has_waited: bool) -> Passage:
        now = _now()
        idle_seconds = 0.0 if self._in_flight else now - max(self._idle_since, self._opens_at)
        if idle_seconds > FORGET_SECONDS:
            self._rate = math.inf
        if self._is_closed or idle_seconds > IDLE_SECONDS:
            self._begin_epoch(now, is_idle=not self._is_closed)
        self._passed += 1
        self._last_passed_at.append(now)
        self._last_tokens = tokens
        interval = self._interval()
        # A request that passes late, because the loop was busy, does not delay those after it.
        due_at = max(self._opens_at, now - interval) if has_waited else now
        self._opens_at = due_at + interval
        return Passage(self._epoch, now, tokens)

    def _begin_epoch(self, now: float, *, is_idle: bool) -> None:
        self._samples = [(1, now)] if is_idle else self._samples_of_epoch() or self._samples
        self._is_closed = False
        self._epoch += 1
        self._began_at = now
        self._passed = self._refused_in_epoch = 0
        self._last_passed_at.clear()
        self._refusal_seconds = math.inf

    def _samples_of_epoch(self) -> list[tuple[int, float]]:
        """Return how many requests were accepted, and since when: all of them, and the last ones.

        All of them measure a limit that was reached by a burst, and the last ones a limit that was approached slowly.
        Requests without a response count as accepted.
        """
        accepted = self._passed - self._refused_in_epoch
        last = list(self._last_passed_at)[: -self._refused_in_epoch or None]
        return [(accepted, self._began_at)] * (accepted > 0) + [(len(last), at) for at in last[:1]]

    def _close(self, passage: Passage) -> None:
        self.refused += 1
        if passage.epoch == self._epoch and not self._is_closed:
            self._is_closed = True
            self._closings_in_row += 1
        seconds = passage.retry_after or BACKOFF.jittered_seconds(self._closings_in_row)
        # A refusal takes a provider little time. What others of them took longer, they waited for this process.
        self._refusal_seconds = min(self._refusal_seconds, _now() - passage.passed_at)
        self._opens_at = max(self._opens_at, passage.passed_at + self._refusal_seconds + seconds)
        if passage.epoch != self._epoch:
            return  # it had passed before the gate closed the last time
        self._refused_in_epoch += 1
        samples, max_interval = self._samples_of_epoch(), MAX_INTERVAL_SECONDS
        if not samples:
            samples, max_interval = self._samples, min(MAX_INTERVAL_SECONDS, seconds * MAX_WAITS)
        rate = max(accepted / (self._opens_at - since) for accepted, since in samples)
        self._rate = max(rate * DECREASE, 1 / max_interval)
        self._step = self._rate / min(samples[0][0], MAX_SAMPLE) ** 2

    def _record_reply(self, passage: Passage) -> None:
        self._closings_in_row = 0
        if self._is_closed:
            return
        if passage.epoch == self._epoch:
            self._rate += self._step
        if passage.tokens_used is not None:
            self._opens_at += (passage.tokens_used - passage.tokens) * self._token_seconds


def _now() -> float:
    return asyncio.get_running_loop().time()

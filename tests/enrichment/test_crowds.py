"""Many workers before the gate of one limited server, in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from enrichment.providers.pacing import Gate
from tests.enrichment.gates import now
from tests.enrichment.rate_limits import FixedWindow, RateLimiter, SlidingWindow, TokenBucket
from tests.enrichment.virtual_time import run

LIMITS = (FixedWindow, SlidingWindow, TokenBucket)
LATENCY_SECONDS = 1.0
REFUSAL_SECONDS = 0.05
SLOTS = 50


class Crowd:
    """Workers that send texts to one server as fast as their gates allow."""

    def __init__(self, limit: RateLimiter, *, texts: int, gates: int = 1, has_header: bool = True) -> None:
        self.gates = [Gate() for _ in range(gates)]
        self.sent = self.refused = 0
        self.drafted, self._begun = [0] * gates, [0] * gates
        self._limit, self._texts, self._slots, self._has_header = limit, texts, SLOTS // gates, has_header

    async def finish(self) -> float:
        """Return how many seconds it took."""
        began_at = now()
        slots = [self._work(number) for number in range(len(self.gates)) for _ in range(self._slots)]
        await asyncio.gather(*slots)
        return now() - began_at

    async def _work(self, number: int) -> None:
        """Begin a text only when it can soon be sent, as the worker does."""
        gate = self.gates[number]
        while self._texts:
            if self._begun[number] >= gate.capacity():
                await asyncio.sleep(max(gate.wait_seconds(), 0.1))
                continue
            self._texts -= 1
            self._begun[number] += 1
            while not await self._is_drafted(gate):
                pass
            self._begun[number] -= 1
            self.drafted[number] += 1

    async def _is_drafted(self, gate: Gate) -> bool:
        with gate.passing(passage := await gate.wait()):
            self.sent += 1
            await asyncio.sleep(REFUSAL_SECONDS)
            retry_after = self._limit.refusal()
            if retry_after is None:
                await asyncio.sleep(LATENCY_SECONDS)
                passage.is_accepted = True
                return True
            self.refused += 1
            passage.is_refused = True
            passage.retry_after = retry_after if self._has_header else None
            return False


@pytest.mark.parametrize("gates", [1, 2])
@pytest.mark.parametrize("limit", LIMITS)
def test_crowd_uses_the_limit_with_few_refusals(limit: Callable[..., RateLimiter], gates: int) -> None:
    async def scenario() -> tuple[Crowd, float]:
        crowd = Crowd(limit(10, 10.0, now), texts=350, gates=gates)
        return crowd, await crowd.finish()

    crowd, seconds = run(scenario())

    assert sum(crowd.drafted) == 350
    assert crowd.refused <= 0.25 * 350
    assert seconds <= 350 * 1.15
    assert min(crowd.drafted) > 350 * 0.1


@pytest.mark.parametrize("limit", LIMITS)
def test_crowd_finishes_without_any_header(limit: Callable[..., RateLimiter]) -> None:
    async def scenario() -> tuple[Crowd, float]:
        crowd = Crowd(limit(10, 10.0, now), texts=350, has_header=False)
        return crowd, await crowd.finish()

    crowd, seconds = run(scenario())

    assert crowd.refused <= 0.5 * 350
    assert seconds <= 350 * 1.6

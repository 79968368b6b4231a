"""The gate alone, with virtual time: nothing here waits."""

import asyncio
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from enrichment.providers.pacing import (
    AHEAD_SECONDS,
    DECREASE,
    FORGET_SECONDS,
    MAX_INTERVAL_SECONDS,
    MAX_SAMPLE,
    MAX_WAITS,
    Gate,
)
from tests.enrichment.rate_limits import FixedWindow, RateLimiter, SlidingWindow, TokenBucket
from tests.enrichment.virtual_time import block, run

LIMITS = (FixedWindow, SlidingWindow, TokenBucket)
LATENCY_SECONDS = 1.0
REFUSAL_SECONDS = 0.05
SLOTS = 50


def now() -> float:
    return asyncio.get_running_loop().time()


async def send(gate: Gate, retry_after: float | None = None, *, is_refused: bool = False) -> float:
    """Send a request that is answered at once, and return when it was sent."""
    with gate.passing(passage := await gate.wait()):
        sent_at = now()
        passage.is_refused, passage.is_accepted, passage.retry_after = is_refused, not is_refused, retry_after
    return sent_at


async def refuse(gate: Gate, retry_after: float | None = None) -> float:
    return await send(gate, retry_after, is_refused=True)


class Crowd:
    """Workers that send texts to one server as fast as their gates allow."""

    def __init__(
        self, limit: RateLimiter, *, texts: int, gates: int = 1, slots: int = 50, has_header: bool = True
    ) -> None:
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


def test_gate_without_a_limit_delays_nothing() -> None:
    async def scenario() -> None:
        gate = Gate()

        times = [await send(gate) for _ in range(1000)]

        assert times == [now()] * 1000
        assert (gate.capacity(), gate.wait_seconds(), gate.requests_per_minute) == (math.inf, 0, math.inf)

    run(scenario())


def test_nothing_is_sent_before_the_time_of_the_provider() -> None:
    async def scenario() -> None:
        gate = Gate()
        opens_at = await refuse(gate, 34.0) + 34

        times = await asyncio.gather(*[send(gate) for _ in range(3)])

        assert times[0] == opens_at
        assert times == sorted(times)
        assert times[1] > times[0]

    run(scenario())


def test_later_refusal_keeps_waiting_requests_back() -> None:
    async def scenario() -> None:
        gate = Gate()
        slow = await gate.wait()
        await refuse(gate, 5.0)
        waiting = asyncio.create_task(send(gate))
        await asyncio.sleep(1)
        with gate.passing(slow):
            slow.is_refused, slow.retry_after = True, 20.0

        assert await waiting == slow.passed_at + 20

    run(scenario())


def test_shorter_time_does_not_open_the_gate_sooner() -> None:
    async def scenario() -> None:
        gate = Gate()
        first, second = await gate.wait(), await gate.wait()
        for passage, seconds in ((first, 30.0), (second, 1.0)):
            with gate.passing(passage):
                passage.is_refused, passage.retry_after = True, seconds

        assert gate.wait_seconds() == 30

    run(scenario())


def test_pace_begins_below_the_measured_rate_and_grows() -> None:
    async def scenario() -> None:
        gate = Gate()
        began_at = await send(gate)
        for _ in range(9):
            await send(gate)
        await refuse(gate, 10.0)
        first = gate.requests_per_minute

        times = [await send(gate) for _ in range(20)]

        assert first == pytest.approx(60 * DECREASE)
        assert times[0] == began_at + 10
        pauses = [later - sooner for sooner, later in pairwise(times[1:])]
        assert pauses == sorted(pauses, reverse=True)
        assert first < gate.requests_per_minute < 2 * first

    run(scenario())


@pytest.mark.parametrize("accepted", [2, 10, MAX_SAMPLE, 2 * MAX_SAMPLE])
def test_pace_grows_the_slower_the_more_was_measured(accepted: int) -> None:
    async def scenario() -> None:
        gate = Gate()
        for _ in range(accepted):
            await send(gate)
        await refuse(gate, 10.0)
        measured = gate.requests_per_minute
        sample = min(accepted, MAX_SAMPLE)

        for _ in range(sample):
            await send(gate)

        assert gate.requests_per_minute == pytest.approx(measured * (1 + 1 / sample))

    run(scenario())


def test_rate_reached_slowly_is_measured_by_the_last_requests() -> None:
    async def scenario() -> None:
        gate = Gate()
        for seconds in [0.9] * 200 + [0.1] * (MAX_SAMPLE - 1):
            await asyncio.sleep(seconds)
            await send(gate)
        last_ones_began_at = now() - 0.1 * (MAX_SAMPLE - 2)

        opens_at = await refuse(gate, 2.0) + 2

        rate = (MAX_SAMPLE - 1) / (opens_at - last_ones_began_at)
        assert gate.requests_per_minute == pytest.approx(60 * rate * DECREASE)

    run(scenario())


def test_rate_leaves_out_all_requests_that_were_refused() -> None:
    async def scenario() -> None:
        gate = Gate()
        passages = [await gate.wait() for _ in range(15)]

        for number, passage in enumerate(passages):
            with gate.passing(passage):
                passage.is_accepted, passage.is_refused, passage.retry_after = number < 10, number >= 10, 10.0

        assert gate.requests_per_minute == pytest.approx(60 * DECREASE)

    run(scenario())


def test_response_from_before_the_closing_leaves_the_pace() -> None:
    async def scenario() -> None:
        gate = Gate()
        slow = [await gate.wait() for _ in range(2)]
        await refuse(gate, 5.0)
        await send(gate)
        pace = gate.requests_per_minute

        for passage, is_refused in zip(slow, (False, True), strict=True):
            with gate.passing(passage):
                passage.is_refused, passage.is_accepted, passage.retry_after = is_refused, not is_refused, 1.0

        assert gate.requests_per_minute == pace
        assert gate.refused == 2

    run(scenario())


def test_pace_falls_while_nothing_is_accepted() -> None:
    async def scenario() -> None:
        gate = Gate()
        paces = []
        for _ in range(10):
            await refuse(gate, 2.0)
            paces.append(gate.requests_per_minute)

        assert paces[0] == pytest.approx(60 / 2.0 * DECREASE)
        assert paces[1] < paces[0] / 2 + 1
        assert paces == sorted(paces, reverse=True)
        assert paces[-1] == pytest.approx(60 / (2.0 * MAX_WAITS))

    run(scenario())


def test_rate_is_measured_over_fruitless_epochs() -> None:
    async def scenario() -> None:
        gate = Gate()
        for _ in range(60):
            await send(gate)
        for _ in range(6):
            await refuse(gate, 10.0)

        assert gate.requests_per_minute == pytest.approx(60 * DECREASE, rel=0.1)

    run(scenario())


def test_interval_and_backoff_are_bounded() -> None:
    async def scenario() -> None:
        gate = Gate()
        for _ in range(50):
            await refuse(gate)

        assert gate.requests_per_minute == 60 / MAX_INTERVAL_SECONDS
        assert gate.wait_seconds() <= 1.5 * MAX_INTERVAL_SECONDS

    run(scenario())


def test_backoff_doubles_until_there_is_a_reply() -> None:
    async def scenario() -> None:
        in_row: list[list[float]] = [[], [], []]
        of_new_gate, after_reply = [], []
        for _ in range(50):  # the seconds are random
            gate = Gate()
            await refuse(gate)
            of_new_gate.append(gate.wait_seconds())
            gate = Gate()
            for _ in range(100):
                await send(gate)
            for seconds in in_row:
                await refuse(gate)
                seconds.append(gate.wait_seconds())
            await send(gate)
            await refuse(gate)
            after_reply.append(gate.wait_seconds())

        doubling = zip(in_row, (0.5, 1.0, 2.0), strict=True)
        for seconds, least in [(of_new_gate, 0.5), *doubling, (after_reply, 0.5)]:
            assert least <= min(seconds) < 2 * least < max(seconds) <= 3 * least

    run(scenario())


def test_pace_is_forgotten_after_idleness() -> None:
    async def scenario() -> None:
        gate = Gate()
        await refuse(gate, 1.0)
        await asyncio.sleep(1 + FORGET_SECONDS + 1)

        await send(gate)

        assert gate.requests_per_minute == math.inf

    run(scenario())


def test_long_closing_is_no_idleness() -> None:
    async def scenario() -> None:
        gate = Gate()
        await refuse(gate, 3600.0)
        await asyncio.sleep(3600)

        await send(gate)

        assert gate.requests_per_minute < 60

    run(scenario())


def test_slow_reply_is_no_idleness() -> None:
    async def scenario() -> None:
        gate = Gate()
        await refuse(gate, 1.0)
        pace = gate.requests_per_minute
        with gate.passing(await gate.wait()):
            await asyncio.sleep(2 * FORGET_SECONDS)

            await gate.wait()

        assert gate.requests_per_minute == pace

    run(scenario())


def test_idleness_does_not_make_the_measured_rate_lower() -> None:
    async def scenario() -> None:
        gate = Gate()
        await send(gate)
        await asyncio.sleep(3600)
        for _ in range(10):
            await send(gate)

        await refuse(gate, 10.0)

        assert gate.requests_per_minute == pytest.approx(60 * DECREASE)

    run(scenario())


def test_failure_of_the_provider_changes_nothing() -> None:
    async def scenario() -> None:
        gate = Gate()
        await refuse(gate, 1.0)
        before = gate.requests_per_minute
        with gate.passing(await gate.wait()):
            pass

        assert gate.requests_per_minute == before

    run(scenario())


def test_cancelled_request_gives_its_turn_away() -> None:
    async def scenario() -> None:
        gate = Gate()
        opens_at = await refuse(gate, 10.0) + 10
        first, second = (asyncio.create_task(send(gate)) for _ in range(2))
        await asyncio.sleep(1)

        first.cancel()

        assert await second == opens_at
        assert first.cancelled()

    run(scenario())


def test_capacity_is_what_can_be_sent_soon() -> None:
    async def scenario() -> None:
        gate = Gate(requests_per_minute=60)
        passage = await gate.wait()
        with gate.passing(passage):
            assert gate.capacity() == 1 + AHEAD_SECONDS
        await refuse(gate, 100.0)
        assert gate.capacity() == 0
        await asyncio.sleep(100)
        assert gate.capacity() >= 1

    run(scenario())


@pytest.mark.parametrize(
    ("limits", "closed_for", "capacity"),
    [
        ({}, 0.0, math.inf),
        ({"tokens_per_minute": 60}, 0.0, math.inf),
        ({"requests_per_minute": 60}, 0.0, 1 + AHEAD_SECONDS),
        ({"requests_per_minute": 30}, 0.0, 1 + AHEAD_SECONDS // 2),
        ({}, AHEAD_SECONDS - 0.5, 1),
        ({}, AHEAD_SECONDS, 1),
        ({}, AHEAD_SECONDS + 0.5, 0),
    ],
)
def test_capacity_of_a_gate_without_requests(limits: dict[str, int], closed_for: float, capacity: float) -> None:
    async def scenario() -> None:
        gate = Gate(**limits)
        if closed_for:
            await refuse(gate, closed_for)

        assert gate.capacity() == capacity

    run(scenario())


@pytest.mark.parametrize("waiting", [0, 1, 3])
def test_request_waits_for_those_that_came_before(waiting: int) -> None:
    async def scenario() -> None:
        gate = Gate(requests_per_minute=60)
        await send(gate)
        tasks = [asyncio.create_task(send(gate)) for _ in range(waiting)]
        await asyncio.sleep(0)

        assert gate.wait_seconds() == 1 + waiting

        await asyncio.gather(*tasks)

    run(scenario())


@pytest.mark.parametrize(
    ("busy_at", "busy_after_second", "times"),
    [
        (None, 0.0, [0, 1, 2, 3, 4]),
        (0.9, 0.0, [0, 1.5, 2, 3, 4]),
        (None, 1.6, [0, 1, 2.6, 3, 4]),
    ],
)
def test_busy_loop_delays_no_later_request(busy_at: float | None, busy_after_second: float, times: list[float]) -> None:
    async def scenario() -> None:
        gate = Gate(requests_per_minute=60)
        sent = [await send(gate)]
        if busy_at is not None:
            asyncio.get_running_loop().call_later(busy_at, block, 0.6)

        async def request() -> None:
            sent.append(await send(gate))
            if len(sent) == 2:
                block(busy_after_second)

        await asyncio.gather(*[request() for _ in times[1:]])

        assert [time - sent[0] for time in sent] == pytest.approx(times)

    run(scenario())


async def sent_with(gate: Gate, tokens: Sequence[tuple[int, int]]) -> list[float]:
    times = []
    for estimated, used in tokens:
        with gate.passing(passage := await gate.wait(tokens=estimated)):
            times.append(now())
            passage.is_accepted, passage.tokens_used = True, used
    return [time - times[0] for time in times]


@pytest.mark.parametrize(
    ("limits", "tokens", "times"),
    [
        ({"requests_per_minute": 30}, [(0, 0)] * 3, [0, 2, 4]),
        ({"requests_per_minute": 30}, [(100, 100)] * 3, [0, 2, 4]),
        ({"tokens_per_minute": 60}, [(5, 5), (5, 5), (5, 5)], [0, 5, 10]),
        ({"tokens_per_minute": 60}, [(5, 8), (5, 5), (5, 5)], [0, 8, 13]),
        ({"tokens_per_minute": 60}, [(5, 2), (5, 5), (5, 5)], [0, 2, 7]),
        ({"requests_per_minute": 6, "tokens_per_minute": 60}, [(5, 5), (20, 20), (5, 5)], [0, 10, 30]),
    ],
)
def test_declared_limits_hold_from_the_start(
    limits: dict[str, int], tokens: list[tuple[int, int]], times: list[float]
) -> None:
    async def scenario() -> None:
        assert await sent_with(Gate(**limits), tokens) == pytest.approx(times)

    run(scenario())


def test_request_without_tokens_uses_none() -> None:
    async def scenario() -> None:
        gate = Gate(tokens_per_minute=60)

        await send(gate)

        assert gate.wait_seconds() == 0

    run(scenario())


def test_tokens_used_do_not_open_a_closed_gate() -> None:
    async def scenario() -> None:
        gate = Gate(tokens_per_minute=60)
        first = await gate.wait(tokens=50)
        with gate.passing(first):
            await asyncio.sleep(50)
            await refuse(gate, 30.0)
            first.is_accepted, first.tokens_used = True, 1

        assert gate.wait_seconds() == 30

    run(scenario())

"""Turns, capacity and declared limits of the gate alone, in virtual time."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from enrichment.providers.pacing import AHEAD_SECONDS, Gate
from tests.enrichment.gates import now, refuse, send
from tests.enrichment.virtual_time import block, run


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

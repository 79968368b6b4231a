"""The pace that the gate measures and follows, in virtual time: nothing here waits."""

import asyncio
import math
from itertools import pairwise

import pytest

from enrichment.providers.pacing import (
    DECREASE,
    FORGET_SECONDS,
    MAX_INTERVAL_SECONDS,
    MAX_SAMPLE,
    MAX_WAITS,
    Gate,
)
from tests.enrichment.gates import now, refuse, send
from tests.enrichment.virtual_time import run

LATENCY_SECONDS = 1.0


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

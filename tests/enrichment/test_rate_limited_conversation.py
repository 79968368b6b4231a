"""A conversation in front of a gate, with virtual time: nothing here waits."""

import asyncio
from typing import Any

import pytest

from enrichment.errors import EnrichmentError, ProviderUnavailable, RateLimited
from enrichment.providers.conversation import MAX_WAIT_SECONDS, ModelHealth
from enrichment.providers.pacing import Gate
from enrichment.schemas import EnrichmentSchema, Usage
from tests.enrichment.test_conversation import DRAFT, PRICED, Script, create_draft, make
from tests.enrichment.virtual_time import run


class SlowScript(Script):
    """Takes some time for each reply."""

    async def __call__(self, **request: Any) -> tuple[str, Usage]:
        await asyncio.sleep(29)
        return await super().__call__(**request)


def now() -> float:
    return asyncio.get_running_loop().time()


async def converse(
    script: Script, gate: Gate, **options: Any
) -> tuple[EnrichmentSchema | None, EnrichmentError | None, float]:
    """Return the draft, the fault and the seconds."""
    began_at = now()
    conversation = make(script, gate=gate, **options)
    draft = await conversation.run(create_draft)
    return draft, conversation.fault, now() - began_at


async def close(gate: Gate, seconds: float) -> None:
    with gate.passing(passage := await gate.wait()):
        passage.is_refused, passage.retry_after = True, seconds


def test_refused_request_is_sent_again_in_time_without_using_a_try() -> None:
    script = Script(RateLimited(retry_after=10), PRICED)

    async def scenario() -> None:
        assert await converse(script, Gate(), tries=1, seconds=5) == (DRAFT, None, 10)

    run(scenario())


def test_refusals_change_no_number_of_tries() -> None:
    script = Script(RateLimited(retry_after=10), *[ProviderUnavailable()] * 3)

    async def scenario() -> None:
        draft, fault, _ = await converse(script, Gate(), tries=2)

        assert (draft, type(fault)) == (None, ProviderUnavailable)
        assert len(script.requests) == 1 + 2

    run(scenario())


def test_time_at_the_gate_does_not_count_against_the_try() -> None:
    script = SlowScript(PRICED)

    async def scenario() -> None:
        gate = Gate()
        await close(gate, 20)

        assert await converse(script, gate, try_seconds=30, seconds=30) == (DRAFT, None, 20 + 29)

    run(scenario())


@pytest.mark.parametrize(("answers", "closed_for"), [([RateLimited(retry_after=60)], 0), ([], 60)])
def test_text_that_cannot_be_sent_soon_is_left_to_the_worker(answers: list[RateLimited], closed_for: float) -> None:
    script = Script(*answers)

    async def scenario() -> None:
        gate = Gate()
        if closed_for:
            await close(gate, closed_for)

        draft, fault, seconds = await converse(script, gate)

        assert (draft, type(fault), seconds) == (None, RateLimited, 0)
        assert fault is not None
        assert fault.retry_after == pytest.approx(60, abs=1)
        assert not answers or fault is answers[0], "it has the provider's own words, such as the status"
        assert len(script.requests) == len(answers)

    run(scenario())


def test_text_waits_at_the_gate_for_a_bounded_time() -> None:
    async def scenario() -> None:
        gate = Gate()
        late = await gate.wait()
        await close(gate, MAX_WAIT_SECONDS - 1)
        await asyncio.sleep(1)
        waiting = asyncio.create_task(converse(Script(), gate))
        await asyncio.sleep(1)
        with gate.passing(late):
            late.is_refused, late.retry_after = True, 600.0

        draft, fault, seconds = await waiting

        assert (draft, type(fault), seconds) == (None, RateLimited, MAX_WAIT_SECONDS)
        assert fault is not None
        assert fault.retry_after == pytest.approx(600, abs=MAX_WAIT_SECONDS + 30)

    run(scenario())


def test_endless_refusals_end_with_a_bounded_number_of_requests() -> None:
    script = Script(*[RateLimited(retry_after=0.1)] * 1000)

    async def scenario() -> None:
        health = ModelHealth()

        draft, fault, seconds = await converse(script, Gate(), model_health=health)

        assert (draft, type(fault)) == (None, RateLimited)
        assert seconds <= MAX_WAIT_SECONDS
        assert len(script.requests) < 40
        assert not health.is_down

    run(scenario())


def test_cancellation_at_the_gate_is_immediate() -> None:
    async def scenario() -> None:
        gate = Gate()
        await close(gate, 20)
        task = asyncio.create_task(converse(Script(), gate))
        await asyncio.sleep(1)
        cancelled_at = now()

        task.cancel()
        await asyncio.wait([task])

        assert task.cancelled()
        assert now() == cancelled_at
        assert gate.wait_seconds() == 19

    run(scenario())


def test_tokens_of_the_reply_correct_the_estimate() -> None:
    script = Script(Usage(model="model", prompt_tokens=100, completion_tokens=20), PRICED)

    async def scenario() -> None:
        gate = Gate(tokens_per_minute=60)

        await converse(script, gate)

        assert gate.wait_seconds() == pytest.approx(120, abs=1)

    run(scenario())

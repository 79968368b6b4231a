"""A conversation alone, with scripted replies."""

import asyncio
import random
from decimal import Decimal
from typing import Any

import pytest

from enrichment.errors import (
    EnrichmentError,
    FormatMissed,
    Interrupted,
    InvalidOutput,
    KeyRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    UnexpectedFailure,
)
from enrichment.providers.conversation import (
    FAILURES_TO_BE_DOWN,
    Complete,
    Conversation,
    ModelHealth,
    decisive_fault,
    total_usage,
    usage_on_cancel,
)
from enrichment.providers.pacing import Gate
from enrichment.schemas import EnrichmentSchema, Usage

DRAFT = EnrichmentSchema.model_validate(
    {"title": "Herons", "summary": "There are herons.", "tags": ["a", "b", "c"], "source_type": "NOTE"}
)
PRICED = Usage(model="model", prompt_tokens=5, completion_tokens=2, cost_usd=Decimal("0.1"))


class Script:
    """A model that replies as scripted: with a usage, with an error, or never."""

    def __init__(self, *answers: Usage | Exception | None) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def __call__(self, **request: Any) -> tuple[str, Usage]:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Usage)
        return "answer", answer


class NeverDown(ModelHealth):
    @property
    def is_down(self) -> bool:
        return False


def make(script: Script, **options: Any) -> Conversation:
    usual = {"model": "model", "model_health": ModelHealth(), "gate": Gate(), "tries": 3, "try_seconds": 30.0}
    seconds = options.pop("seconds", 60.0)
    return Conversation(script, **{**usual, **options}, ends_at=asyncio.get_running_loop().time() + seconds)


async def create_draft(complete: Complete) -> EnrichmentSchema:
    await complete(question="?")
    return DRAFT


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses instead of waiting, each with the longest jitter."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    def longest(low: float, high: float) -> float:
        assert low == 0
        return high

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(random, "uniform", longest)
    return made


async def test_reply_becomes_a_draft_with_its_usage() -> None:
    script = Script(PRICED)
    conversation = make(script)

    draft = await conversation.run(create_draft)

    assert draft is DRAFT
    assert script.requests == [{"question": "?"}]
    assert (conversation.usage, conversation.has_reply, conversation.fault) == (PRICED, True, None)


async def test_conversation_without_a_reply_has_no_usage() -> None:
    conversation = make(Script())

    assert (conversation.usage, conversation.has_reply, conversation.fault) == (Usage(model="model"), False, None)


async def test_transient_failure_is_retried_after_growing_pauses(pauses: list[float]) -> None:
    script = Script(*[ProviderUnavailable()] * 7, PRICED)

    draft = await make(script, tries=8, model_health=NeverDown()).run(create_draft)

    assert draft is DRAFT
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]


async def test_jitter_shortens_the_pause(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 4)

    await make(Script(ProviderUnavailable(), PRICED)).run(create_draft)

    assert pauses == [0.125]


async def test_pause_is_not_shorter_than_retry_after(pauses: list[float]) -> None:
    script = Script(ProviderUnavailable(retry_after=3), ProviderUnavailable(retry_after=0.1), PRICED)

    await make(script).run(create_draft)

    assert pauses == [3, 1]


async def test_pause_beyond_the_deadline_is_skipped(pauses: list[float]) -> None:
    script = Script(ProviderUnavailable(retry_after=60), PRICED)
    conversation = make(script, seconds=60)

    draft = await conversation.run(create_draft)

    assert draft is None
    assert pauses == []
    assert isinstance(conversation.fault, ProviderUnavailable)


async def test_no_pause_follows_the_last_try(pauses: list[float]) -> None:
    script = Script(*[ProviderUnavailable()] * 3)
    conversation = make(script, tries=2)

    draft = await conversation.run(create_draft)

    assert draft is None
    assert len(script.requests) == 2
    assert pauses == [0.5]


async def test_invalid_replies_share_the_tries() -> None:
    script = Script(PRICED, PRICED, PRICED)
    conversation = make(script, tries=2)

    async def never_satisfied(complete: Complete) -> EnrichmentSchema:
        while True:
            await complete()

    draft = await conversation.run(never_satisfied)

    assert draft is None
    assert len(script.requests) == 2
    assert conversation.usage == PRICED + PRICED
    assert isinstance(conversation.fault, InvalidOutput)


@pytest.mark.parametrize("fault", [KeyRefused(), InvalidOutput(usage=PRICED)])
async def test_permanent_failure_ends_the_conversation(fault: EnrichmentError) -> None:
    script = Script(fault)
    model_health = ModelHealth()
    conversation = make(script, model_health=model_health)

    draft = await conversation.run(create_draft)

    assert draft is None
    assert conversation.fault is fault
    assert fault.__traceback__ is None
    assert conversation.has_reply is (fault.usage is not None)
    assert conversation.usage == (fault.usage or Usage(model="model"))


async def test_reply_that_the_provider_held_back_is_retried(pauses: list[float]) -> None:
    script = Script(FormatMissed(), PRICED)

    draft = await make(script).run(create_draft)

    assert draft is DRAFT
    assert len(script.requests) == 2


async def test_library_error_becomes_an_enrichment_error(pauses: list[float]) -> None:
    conversation = make(Script(ConnectionError("private"), TimeoutError("private")), tries=2)

    await conversation.run(create_draft)

    assert isinstance(conversation.fault, ProviderTimeout)
    assert conversation.fault.cause == "TimeoutError"


async def test_silent_try_times_out_before_the_next(pauses: list[float]) -> None:
    script = Script(None, PRICED)
    conversation = make(script, try_seconds=0.02)

    draft = await conversation.run(create_draft)

    assert draft is DRAFT
    assert len(script.requests) == 2


async def test_try_ends_with_the_conversation() -> None:
    conversation = make(Script(None), seconds=0.02)

    draft = await conversation.run(create_draft)

    assert draft is None
    assert isinstance(conversation.fault, ProviderTimeout)


async def test_time_that_runs_out_between_tries_is_a_timeout() -> None:
    conversation = make(Script(), seconds=0.02)

    async def dawdle(complete: Complete) -> EnrichmentSchema:
        await asyncio.Event().wait()
        return DRAFT

    draft = await conversation.run(dawdle)

    assert draft is None
    assert isinstance(conversation.fault, ProviderTimeout)
    assert conversation.fault.cause == "TimeoutError"


@pytest.mark.parametrize(("answers", "kind"), [((), UnexpectedFailure), ((PRICED,), InvalidOutput)])
async def test_error_outside_a_try_depends_on_earlier_replies(
    answers: tuple[Usage, ...], kind: type[EnrichmentError]
) -> None:
    conversation = make(Script(*answers))

    async def stumble(complete: Complete) -> EnrichmentSchema:
        for _ in answers:
            await complete()
        raise KeyError("private")

    draft = await conversation.run(stumble)

    assert draft is None
    assert type(conversation.fault) is kind


async def test_fault_of_a_try_outlives_a_later_error(pauses: list[float]) -> None:
    fault = KeyRefused()
    conversation = make(Script(fault))

    async def time_out(complete: Complete) -> EnrichmentSchema:
        try:
            await complete()
        finally:
            raise TimeoutError

    await conversation.run(time_out)

    assert conversation.fault is fault


def test_model_is_down_after_failures_in_a_row() -> None:
    model_health = ModelHealth()

    states = []
    for fault in [ProviderUnavailable()] * FAILURES_TO_BE_DOWN + [None, ProviderUnavailable(), KeyRefused()]:
        model_health.record(fault)
        states.append(model_health.is_down)

    assert states == [False] * (FAILURES_TO_BE_DOWN - 1) + [True, False, False, False]


@pytest.mark.parametrize("answer", [None, KeyRefused(), RateLimited()])
def test_any_reply_resets_the_count_of_failures(answer: EnrichmentError | None) -> None:
    model_health = ModelHealth()
    faults = [ProviderTimeout()] * (FAILURES_TO_BE_DOWN - 1)

    for fault in [*faults, answer, *faults]:
        model_health.record(fault)

    assert not model_health.is_down


async def test_model_that_is_down_is_tried_once(pauses: list[float]) -> None:
    model_health = ModelHealth()
    for _ in range(FAILURES_TO_BE_DOWN - 1):
        model_health.record(ProviderTimeout())
    script = Script(ProviderUnavailable())

    await make(script, model_health=model_health).run(create_draft)

    assert len(script.requests) == 1
    assert pauses == []


async def answered(usage: Usage | None) -> Conversation:
    conversation = make(Script(usage if usage is not None else KeyRefused()), model="asked")
    await conversation.run(create_draft)
    return conversation


async def test_usage_is_the_sum_of_all_replies_or_names_the_last_model() -> None:
    without = await answered(None)
    last = make(Script(), model="last")

    assert total_usage([await answered(PRICED), without, await answered(PRICED), last]) == PRICED + PRICED
    assert total_usage([without, without, last]) == Usage(model="last")


FAULTS: list[tuple[list[EnrichmentError | None], int]] = [
    ([KeyRefused(), ProviderUnavailable(), ProviderTimeout()], 1),
    ([KeyRefused(), InvalidOutput()], 0),
    ([None, InvalidOutput()], 1),
]


@pytest.mark.parametrize(("faults", "telling"), FAULTS)
async def test_decisive_fault_is_the_first_transient_one_or_the_first(
    faults: list[EnrichmentError | None], telling: int
) -> None:
    conversations = [await answered(PRICED) for _ in faults]
    for conversation, fault in zip(conversations, faults, strict=True):
        conversation.fault = fault

    fault = decisive_fault(conversations)

    assert fault is faults[telling]
    assert fault.usage == total_usage(conversations)


def cancel() -> None:
    raise asyncio.CancelledError


async def test_cancellation_after_a_reply_reports_its_usage() -> None:
    conversations = [await answered(None), await answered(PRICED)]

    with pytest.raises(Interrupted) as raised, usage_on_cancel(conversations):
        cancel()

    assert raised.value.usage == PRICED


@pytest.mark.parametrize("usage", [None, PRICED])
async def test_uncancelled_call_is_not_interrupted(usage: Usage | None) -> None:
    with usage_on_cancel([await answered(usage)]):
        pass


async def test_cancellation_before_any_reply_is_unchanged() -> None:
    with pytest.raises(asyncio.CancelledError), usage_on_cancel([await answered(None)]):
        cancel()

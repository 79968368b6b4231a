"""The enricher alone, from a claim to a verdict."""

import asyncio
from collections.abc import AsyncIterator, Collection, MutableMapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import structlog
from django.utils import timezone

from enrichment import enricher, metrics
from enrichment import vocabulary as vocabularies
from enrichment.breaker import FAILURES_TO_OPEN, Breaker
from enrichment.enricher import Enricher
from enrichment.errors import (
    Abandoned,
    EnrichmentError,
    Interrupted,
    InvalidOutput,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    UnexpectedFailure,
)
from enrichment.schemas import EnrichmentResult
from enrichment.vocabulary import Vocabularies
from items.claims import Claim, Verdict
from items.states import Outcome, Status
from litevault.operations.logging import add_traceback
from postgres.backoff import Backoff
from postgres.session import Fetch, Session
from tests.enrichment.scripted import SPENT, ScriptedProvider, draft
from tests.enrichment.verdicts import a_verdict
from tests.enrichment.waiting import until

MAX_ATTEMPTS = 3
MAX_REFUNDS = 5


class Bench:
    """An enricher and its collaborators."""

    def __init__(self, fetch: Fetch, provider: ScriptedProvider) -> None:
        self.provider = provider
        self.breaker = Breaker()
        self._fetch = fetch

    def enricher(self, *, deadline_seconds: float = 30) -> Enricher:
        return Enricher(
            self.provider,
            vocabularies=Vocabularies(self._fetch),
            breaker=self.breaker,
            deadline_seconds=deadline_seconds,
            max_attempts=MAX_ATTEMPTS,
            max_refunds=MAX_REFUNDS,
        )

    async def verdict_on(
        self, *answers: object, attempt: int = 1, refunds: int = 0, deadline_seconds: float = 30
    ) -> Verdict:
        self.provider.script["text"] = list(answers)  # type: ignore[arg-type]  # types are up to the caller
        claim = a_claim(attempt=attempt, refunds=refunds)
        return await self.enricher(deadline_seconds=deadline_seconds).enrich(claim)

    def open_the_breaker(self) -> None:
        for _ in range(FAILURES_TO_OPEN):
            self.breaker.record_failure()
        metrics.provider_down.set(1)


def a_claim(*, attempt: int = 1, refunds: int = 0) -> Claim:
    return replace(a_verdict().claim, attempt=attempt, refunds=refunds)


def is_reported_down() -> bool:
    return metrics.REGISTRY.get_sample_value("litevault_provider_down") == 1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[MutableMapping[str, Any]]:
    """Capture the log of the enricher, independently of the logging configuration."""
    captured = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[structlog.contextvars.merge_contextvars, captured])
    monkeypatch.setattr(enricher, "logger", logger)
    return captured.entries


@pytest.fixture
async def bench(provider: ScriptedProvider) -> AsyncIterator[Bench]:
    session = Session(deadline_seconds=10)
    metrics.provider_down.set(0)
    yield Bench(session.fetch, provider)
    metrics.provider_down.set(0)
    await session.close()


async def test_success_has_its_times_and_its_usage(bench: Bench) -> None:
    began_at = timezone.now()

    verdict = await bench.verdict_on(draft("Herons"))

    assert (verdict.outcome, verdict.status, verdict.title) == (Outcome.SUCCEEDED, Status.READY_TO_CONFIRM, "Herons")
    assert verdict.tags == ("one", "two", "three")
    assert (verdict.model, verdict.prompt_tokens) == ("scripted", 7)
    assert began_at <= verdict.started_at <= verdict.finished_at
    assert bench.provider.calls == ["text"]


@pytest.mark.parametrize(
    ("raised", "code", "cause", "tokens"),
    [
        (InvalidOutput(usage=SPENT, cause="Cause"), "LLM_VALIDATION_ERROR", "Cause", 900),
        (ProviderRefused(cause="Cause"), "LLM_API_ERROR", "Cause", None),
        (ValueError("private"), "LLM_API_ERROR", "ValueError", None),
        (asyncio.CancelledError(), "LLM_API_ERROR", "CancelledError", None),
    ],
)
async def test_permanent_failure_fails_the_item(
    bench: Bench, log: list[MutableMapping[str, Any]], raised: BaseException, code: str, cause: str, tokens: int | None
) -> None:
    began_at = timezone.now()

    verdict = await bench.verdict_on(raised)

    assert (verdict.outcome, verdict.status, verdict.error_code) == (Outcome.FAILED, Status.FAILED, code)
    assert verdict.prompt_tokens == tokens
    assert began_at <= verdict.started_at <= verdict.finished_at
    assert (log[-1]["event"], log[-1]["cause"]) == ("enrichment.failed", cause)


@pytest.mark.parametrize(
    ("raised", "code", "tokens"),
    [
        (ProviderTimeout(), "LLM_TIMEOUT", None),
        (ProviderUnavailable(usage=SPENT), "LLM_API_ERROR", 900),
        (TimeoutError(), "LLM_TIMEOUT", None),
        (Interrupted(SPENT), "LLM_TIMEOUT", 900),
    ],
)
@pytest.mark.parametrize(
    ("attempt", "status"), [(1, Status.ENRICHING), (MAX_ATTEMPTS - 1, Status.ENRICHING), (MAX_ATTEMPTS, Status.FAILED)]
)
async def test_transient_failure_postpones_until_the_last_attempt(
    bench: Bench,
    raised: BaseException,
    code: str,
    tokens: int | None,
    attempt: int,
    status: Status,
) -> None:
    began_at = timezone.now()

    verdict = await bench.verdict_on(raised, attempt=attempt)

    assert (verdict.outcome, verdict.status, verdict.error_code) == (Outcome.FAILED, status, code)
    assert (verdict.is_refunded, verdict.prompt_tokens) == (False, tokens)
    assert (verdict.delay_seconds > 0) is (status == Status.ENRICHING)
    assert began_at <= verdict.started_at <= verdict.finished_at


async def test_provider_is_cancelled_at_the_deadline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    deadline, timeout = asyncio.timeout(None), asyncio.timeout
    monkeypatch.setattr(asyncio, "timeout", lambda seconds: deadline if seconds == 1234 else timeout(seconds))
    attempt = asyncio.create_task(bench.verdict_on(asyncio.Event(), deadline_seconds=1234))
    await until(lambda: bench.provider.running)

    deadline.reschedule(asyncio.get_running_loop().time())
    verdict = await attempt

    assert (verdict.status, verdict.error_code) == (Status.ENRICHING, "LLM_TIMEOUT")
    assert bench.provider.cancelled == ["text"]


async def test_item_beyond_its_attempts_is_abandoned_without_a_call(bench: Bench) -> None:
    verdict = await bench.verdict_on(draft(), attempt=MAX_ATTEMPTS + 1)

    assert (verdict.status, verdict.enrichment_error) == (Status.FAILED, Abandoned().message)
    assert bench.provider.calls == []


async def test_failure_while_the_provider_is_down_is_refunded(bench: Bench) -> None:
    bench.open_the_breaker()

    verdict = await bench.verdict_on(ProviderUnavailable(), attempt=MAX_ATTEMPTS)

    assert (verdict.status, verdict.is_refunded) == (Status.ENRICHING, True)


@pytest.mark.parametrize("error", [ProviderUnavailable(usage=SPENT), RateLimited(usage=SPENT)])
async def test_attempt_that_cost_tokens_is_not_refunded(bench: Bench, error: EnrichmentError) -> None:
    bench.open_the_breaker()

    verdict = await bench.verdict_on(error, attempt=MAX_ATTEMPTS)

    assert (verdict.status, verdict.is_refunded) == (Status.FAILED, False)


@pytest.mark.parametrize("error", [ProviderUnavailable(), ProviderTimeout(), RateLimited()])
@pytest.mark.parametrize(
    ("attempt", "refunds", "status", "is_refunded"),
    [
        (MAX_ATTEMPTS, MAX_REFUNDS - 1, Status.ENRICHING, True),
        (1, MAX_REFUNDS, Status.ENRICHING, False),
        (MAX_ATTEMPTS, MAX_REFUNDS, Status.FAILED, False),
    ],
)
async def test_attempts_count_when_the_refunds_are_used_up(
    bench: Bench, error: EnrichmentError, attempt: int, refunds: int, status: Status, *, is_refunded: bool
) -> None:
    bench.open_the_breaker()

    verdict = await bench.verdict_on(error, attempt=attempt, refunds=refunds)

    assert (verdict.status, verdict.is_refunded) == (status, is_refunded)


async def test_rate_limit_is_refunded_and_opens_no_breaker(bench: Bench) -> None:
    for _ in range(2 * FAILURES_TO_OPEN):
        verdict = await bench.verdict_on(RateLimited(), attempt=MAX_ATTEMPTS)
        assert (verdict.status, verdict.is_refunded) == (Status.ENRICHING, True)

    assert not bench.breaker.is_open


async def test_pauses_grow_with_the_refunds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "jittered_seconds", Backoff.seconds)

    delays = [(await bench.verdict_on(RateLimited(), refunds=refunds)).delay_seconds for refunds in range(3)]

    assert delays == [2, 4, 8]


async def test_refusal_while_the_provider_was_down_is_final(bench: Bench) -> None:
    bench.open_the_breaker()

    verdict = await bench.verdict_on(ProviderRefused())

    assert verdict.status == Status.FAILED


@pytest.mark.parametrize(
    ("answer", "attempt", "is_down"),
    [
        (draft(), 1, False),
        (ProviderRefused(), 1, False),
        (RateLimited(), 1, False),
        (ValueError(), 1, False),
        (ProviderTimeout(), 1, True),
        (draft(), MAX_ATTEMPTS + 1, True),
    ],
)
async def test_any_response_closes_the_breaker(bench: Bench, answer: object, attempt: int, *, is_down: bool) -> None:
    bench.open_the_breaker()

    await bench.verdict_on(answer, attempt=attempt)

    assert bench.breaker.is_open is is_down
    assert is_reported_down() is is_down


async def test_outage_is_reported_when_it_begins(bench: Bench) -> None:
    for _ in range(FAILURES_TO_OPEN):
        assert not is_reported_down()
        await bench.verdict_on(ProviderUnavailable())

    assert is_reported_down()


async def test_cancelled_call_is_cancelled(bench: Bench) -> None:
    bench.provider.script["text"] = [asyncio.Event()]
    call = asyncio.create_task(bench.enricher().enrich(a_claim()))
    await until(lambda: bench.provider.running)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


class PaidProvider(ScriptedProvider):
    """Reports the usage of earlier replies when it is cancelled."""

    async def _answer(self, text: str) -> EnrichmentResult:
        try:
            return await super()._answer(text)
        except asyncio.CancelledError:
            raise Interrupted(SPENT) from None


async def test_cancelled_call_with_a_cost_is_released(bench: Bench) -> None:
    bench.provider = PaidProvider()
    bench.provider.script["text"] = [asyncio.Event()]
    claim = a_claim()
    call = asyncio.create_task(bench.enricher().enrich(claim))
    await until(lambda: bench.provider.running)

    call.cancel()
    verdict = await call

    assert verdict.claim is claim
    assert (verdict.outcome, verdict.status, verdict.is_refunded) == (Outcome.RELEASED, Status.ENRICHING, True)
    assert (verdict.prompt_tokens, verdict.cost_usd) == (900, Decimal("0.0012"))


async def test_tags_are_spelled_as_the_owner_spells_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def most_used_tags(_fetch: Fetch, owner_ids: Collection[int]) -> dict[int, Sequence[str]]:
        return dict.fromkeys(owner_ids, ()) | {a_claim().owner_id: ("Rivers", "herons")}

    monkeypatch.setattr(vocabularies, "most_used_tags", most_used_tags)

    verdict = await bench.verdict_on(draft(tags=("rivers", "other", "Herons")))

    assert bench.provider.vocabularies == {"text": ["Rivers", "herons"]}
    assert verdict.tags == ("Rivers", "other", "herons")


@pytest.mark.parametrize(
    ("answer", "attempt", "event", "error_code", "error_reason", "model"),
    [
        (draft(), 1, "enrichment.succeeded", None, None, "scripted"),
        (InvalidOutput(usage=SPENT), 2, "enrichment.failed", "LLM_VALIDATION_ERROR", "INVALID_OUTPUT", "scripted"),
        (ProviderTimeout(), 2, "enrichment.postponed", "LLM_TIMEOUT", "TIMED_OUT", None),
    ],
)
async def test_log_has_the_attempt_without_its_text(
    bench: Bench,
    log: list[MutableMapping[str, Any]],
    answer: object,
    attempt: int,
    event: str,
    error_code: str | None,
    error_reason: str | None,
    model: str | None,
) -> None:
    verdict = await bench.verdict_on(answer, attempt=attempt)

    (line,) = [
        {name: line[name] for name in line if name not in {"cause", "http_status", "log_level", "tags_filled"}}
        for line in log
    ]
    assert line == {
        "event": event,
        "item_id": str(verdict.claim.item_id),
        "attempt": attempt,
        "duration_ms": round((verdict.finished_at - verdict.started_at).total_seconds() * 1000),
        "error_code": error_code,
        "error_reason": error_reason,
        "model": model,
    }


@pytest.mark.parametrize("answer", [draft(), InvalidOutput(), ProviderTimeout()])
async def test_log_has_the_request_that_asked_for_the_draft(
    bench: Bench, log: list[MutableMapping[str, Any]], answer: object
) -> None:
    bench.provider.script["text"] = [answer, answer]  # type: ignore[list-item]  # types are up to the caller
    claims = [replace(a_claim(), request_id=request_id) for request_id in ("req-1", None)]

    for claim in claims:
        await bench.enricher().enrich(claim)

    assert [line.get("request_id") for line in log] == ["req-1", None]


@pytest.mark.parametrize("is_filled", [True, False])
async def test_log_says_whether_tags_were_filled(
    bench: Bench, log: list[MutableMapping[str, Any]], *, is_filled: bool
) -> None:
    await bench.verdict_on(replace(draft(), tags_filled=is_filled))

    assert log[0]["tags_filled"] is is_filled


async def test_unexpected_error_is_not_kept_as_the_context(bench: Bench) -> None:
    bench.provider.script["text"] = [ValueError("private")]

    with pytest.raises(EnrichmentError) as raised:
        await bench.enricher()._call_provider(a_claim())

    assert type(raised.value) is UnexpectedFailure
    assert raised.value.__context__ is None


@pytest.mark.parametrize("raised", [ValueError("canary"), asyncio.CancelledError("canary")])
async def test_unexpected_error_is_logged_with_its_place(
    bench: Bench, caplog: pytest.LogCaptureFixture, raised: BaseException
) -> None:
    await bench.verdict_on(raised)

    (line,) = [record.msg for record in caplog.records if "enrichment.crashed" in str(record.msg)]
    shown = str(add_traceback(None, "", dict(line)))  # type: ignore[arg-type]  # of structlog
    assert type(raised).__name__ in shown
    assert "scripted.py" in shown
    assert "canary" not in shown

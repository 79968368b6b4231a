"""Every fault of the matrix over real HTTP: the error, the requests, the deadline, the cost, and no leak."""

import importlib
import time
from decimal import Decimal

import pytest

from enrichment.providers import conversation
from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.enrichment.fault_matrix import ALL_TRIES, MATRIX, Fault
from tests.enrichment.leaks import TEXT, everything_said_by, leaked
from tests.plugins.providers import MODEL, MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

PRICE = Decimal("0.00021")
# Long enough for a request to arrive, and for a reply after a silent one, on a slow machine.
TIMEOUT_SECONDS = 1.0
SLACK_SECONDS = 20.0


CASES = [pytest.param(fault, mode, id=f"{fault.name}-{mode}") for fault in MATRIX for mode in fault.modes]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")  # as in the worker
@pytest.mark.parametrize(("fault", "mode"), CASES)
async def test_reply_ends_as_the_matrix_says(
    fault: Fault, mode: str, provider: MakeProvider, server: FakeLLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_WAIT_SECONDS", 0.0)  # a rate limit stays closed for too long
    subject = provider(mode=mode, timeout_seconds=TIMEOUT_SECONDS if fault.is_silent else 30)
    server.script(*fault.answers)
    began_at = time.monotonic()

    if fault.error is None:
        usage = (await subject.enrich_item(TEXT)).usage
    else:
        with pytest.raises(fault.error) as raised:
            await subject.enrich_item(TEXT)
        assert type(raised.value) is fault.error
        assert not leaked(*everything_said_by(raised.value))
        assert raised.value.__cause__ is raised.value.__context__ is None
        assert raised.value.usage is not None
        usage = raised.value.usage

    seconds = time.monotonic() - began_at
    assert len(server.calls) == fault.requests
    assert usage.model == MODEL
    assert usage.prompt_tokens == fault.answered * PROMPT_TOKENS
    assert usage.completion_tokens == fault.answered * COMPLETION_TOKENS
    assert usage.cost_usd == (fault.answered * PRICE or None)
    assert seconds < TIMEOUT_SECONDS * ALL_TRIES + SLACK_SECONDS or not fault.is_silent


async def test_leak_check_finds_the_text_of_library_errors(provider: MakeProvider, server: FakeLLMServer) -> None:
    provider()
    litellm = importlib.import_module("litellm")  # after the provider's module, which configures it
    server.script("status_400")

    with pytest.raises(litellm.BadRequestError) as raised:
        await litellm.acompletion(
            model=MODEL, messages=[{"role": "user", "content": TEXT}], api_base=server.url, max_retries=0
        )

    assert leaked(*everything_said_by(raised.value))

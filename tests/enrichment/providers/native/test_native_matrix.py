"""Every situation in every protocol over real HTTP: the error, the requests, the key, the next attempt, no leak."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from enrichment.breaker import Breaker
from enrichment.enricher import Enricher
from enrichment.errors import EnrichmentError
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult
from enrichment.vocabulary import Vocabularies
from items.claims import Verdict
from items.states import Status
from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, DRAFT, PROMPT_TOKENS
from tests.enrichment.leaks import TEXT, everything_said_by, leaked
from tests.enrichment.providers.native.protocol import Ending, Protocol
from tests.enrichment.providers.native.protocols import PROTOCOLS
from tests.enrichment.providers.native.server import NativeServer
from tests.enrichment.providers.native.table import DESCRIPTIONS, table
from tests.enrichment.verdicts import a_verdict
from tests.plugins.providers import MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

ERRORS_PAGE = Path(settings.BASE_DIR) / "docs" / "errors.md"
DEADLINE_SECONDS = 60
LONGEST_DELAY_SECONDS = 3600


def cells() -> Iterator[object]:
    for protocol in PROTOCOLS:
        for situation, ending in protocol.all_endings().items():
            name = f"{protocol.name}-{situation}"
            yield pytest.param(protocol, situation, ending, id=name)


class Witness(EnrichmentProvider):
    """Passes on to a provider, and keeps what came of it."""

    def __init__(self, provider: EnrichmentProvider) -> None:
        self.error: EnrichmentError | None = None
        self.result: EnrichmentResult | None = None
        self._provider = provider

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        try:
            self.result = await self._provider.enrich_item(text, vocabulary=vocabulary)
        except EnrichmentError as error:
            self.error = error
            raise
        return self.result


@pytest.fixture(scope="module")
def native_server() -> Iterator[NativeServer]:
    server = NativeServer(*PROTOCOLS).start()
    yield server
    server.stop()


async def no_tags(*_: object) -> list[tuple[Any, ...]]:
    return []


async def attempt(provider: EnrichmentProvider) -> Verdict:
    """Return the verdict on the first attempt at an item."""
    enricher = Enricher(
        provider,
        vocabularies=Vocabularies(no_tags),
        breaker=Breaker(),
        deadline_seconds=DEADLINE_SECONDS,
        max_attempts=3,
        max_refunds=20,
    )
    return await enricher.enrich(replace(a_verdict().claim, raw_text=TEXT))


@pytest.mark.parametrize(("protocol", "situation", "ending"), list(cells()))
async def test_situation_ends_as_expected_in_each_protocol(
    protocol: Protocol,
    situation: str,
    ending: Ending,
    native_server: NativeServer,
    provider: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = native_server.address(protocol)
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-another-provider")
    for name, value in protocol.variables(address).items():
        monkeypatch.setenv(name, value)
    native_server.situation = situation
    native_server.requests.clear()
    subject = Witness(provider(model=protocol.model, api_base=protocol.api_base(address), mode=protocol.mode))

    verdict = await attempt(subject)

    came = Ending(
        error=type(subject.error) if subject.error else None,
        requests=len(native_server.requests),
        answered=(verdict.prompt_tokens or 0) // PROMPT_TOKENS,
        retry_after=subject.error.retry_after if subject.error else None,
    )
    assert str(came) == str(ending)
    assert {request.path for request in native_server.requests} == {protocol.base + protocol.path}
    assert {request.key for request in native_server.requests} == {protocol.key}
    assert verdict.prompt_tokens == ending.answered * PROMPT_TOKENS
    assert verdict.completion_tokens == ending.answered * COMPLETION_TOKENS
    if subject.error is None:
        assert verdict.status == Status.READY_TO_CONFIRM
        assert verdict.title == DRAFT["title"]
        return
    assert not leaked(*everything_said_by(subject.error))
    if subject.error.is_transient:
        assert verdict.status == Status.ENRICHING
        assert 0 < verdict.delay_seconds <= LONGEST_DELAY_SECONDS
        assert verdict.delay_seconds >= (ending.retry_after or -math.inf)
    else:
        assert verdict.status == Status.FAILED


async def test_page_has_the_table_of_the_protocols() -> None:
    assert table() in ERRORS_PAGE.read_text()


async def test_table_describes_every_situation() -> None:
    situations = {situation for protocol in PROTOCOLS for situation in protocol.all_endings()}

    assert situations == DESCRIPTIONS.keys()

"""A fake server, providers that call it, and a check for leaks after every test."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from enrichment.config import LLMSettings
from enrichment.providers import conversation
from postgres.backoff import Backoff
from tests.enrichment.fake_llm_server import FakeLLMServer, serving
from tests.enrichment.fault_matrix import MAX_RETRIES
from tests.enrichment.leaks import KEY, Recorder, leaked
from tests.plugins.providers import MODEL, MakeProvider

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider


@pytest.fixture(scope="session")
def running_server() -> Iterator[FakeLLMServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running_server: FakeLLMServer) -> FakeLLMServer:
    running_server.reset()
    return running_server


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all keys from the environment except the canary."""
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def provider(
    litellm_provider: "type[LiteLLMProvider]", server: FakeLLMServer, keys: None, monkeypatch: pytest.MonkeyPatch
) -> MakeProvider:
    """Return a function that makes a provider of the fake server, with short pauses between tries."""
    monkeypatch.setattr(conversation, "BACKOFF", Backoff(first_seconds=0.01, longest_seconds=8))

    def make(**settings: Any) -> "LiteLLMProvider":
        defaults = {"model": MODEL, "api_base": server.url, "mode": "tools", "max_retries": MAX_RETRIES}
        return litellm_provider(LLMSettings(**{**defaults, **settings}))

    return make


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Check after every test that no canary is in the log or in the output."""
    recorder = Recorder()
    root = logging.getLogger()
    level = root.level
    root.addHandler(recorder)
    root.setLevel(logging.DEBUG)
    yield
    root.removeHandler(recorder)
    root.setLevel(level)
    assert not leaked(*recorder.lines, *capfd.readouterr())


@pytest_asyncio.fixture(scope="package", loop_scope="package", autouse=True)
async def _clients_are_closed(litellm_provider: "type[LiteLLMProvider]") -> AsyncIterator[None]:
    yield
    await litellm_provider(LLMSettings(model="ollama_chat/any")).close()

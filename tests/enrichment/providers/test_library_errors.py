"""No exception of a library is taken for an outage, apart from those about connections and time-outs."""

import importlib
import inspect
import os
from typing import Any

import pytest

from enrichment.errors import (
    EnrichmentError,
    KeyMissing,
    PackageMissing,
    ProviderUnavailable,
    RequestUnsendable,
)
from enrichment.providers.fault_tables import BY_CLASS
from enrichment.providers.faults import fault_of
from tests.enrichment.fake_llm_server import FakeLLMServer

pytestmark = [
    pytest.mark.usefixtures("litellm_provider"),
    pytest.mark.filterwarnings("ignore:Item:UserWarning"),  # pydantic's, about litellm's own classes
]

# All that are transient, apart from those whose names end with Timeout or TimeoutError.
TRANSIENT = {
    "botocore.exceptions": "ConnectionClosedError ConnectionError EndpointConnectionError HTTPClientError "
    "ProxyConnectionError ResponseStreamingError SSLError",
    "builtins": "BlockingIOError BrokenPipeError ChildProcessError ConnectionAbortedError ConnectionError "
    "ConnectionRefusedError ConnectionResetError EOFError EnvironmentError FileExistsError IOError InterruptedError "
    "OSError ProcessLookupError",
    "httpx": "CloseError ConnectError NetworkError ProtocolError ProxyError ReadError RemoteProtocolError RequestError "
    "TimeoutException TransportError WriteError",
    "instructor.core.exceptions": "",
    "json": "",
    "litellm.exceptions": "",
    "openai": "APIConnectionError ConflictError RateLimitError",
    "requests.exceptions": "ChunkedEncodingError ConnectionError ProxyError SSLError",
    "socket": "error gaierror herror timeout",
}


def fault_behind_a_wrapper(kind: type[Exception]) -> EnrichmentError:
    error = RuntimeError("private")
    error.__cause__ = kind.__new__(kind)
    return fault_of(error)


@pytest.mark.parametrize("module", TRANSIENT)
def test_only_errors_of_connections_are_transient(module: str) -> None:
    kinds = {
        name: kind
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, BaseExceptionGroup)
    }

    transient = {name for name, kind in kinds.items() if fault_behind_a_wrapper(kind).is_transient}

    assert kinds
    assert {name for name in transient if not name.endswith(("Timeout", "TimeoutError"))} == set(
        TRANSIENT[module].split()
    )


@pytest.mark.parametrize("name", [name for name in BY_CLASS if not name.startswith("google.")])
def test_class_in_the_table_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    found = getattr(importlib.import_module(module), kind)

    assert f"{found.__module__}.{found.__qualname__}" == name


# One of each way in which litellm calls providers.
PROVIDERS = ("openai/a", "anthropic/a", "gemini/a", "mistral/a", "ollama_chat/a", "openrouter/a/b", "cohere_chat/a")
in_one_loop = pytest.mark.asyncio(loop_scope="package")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith(("AWS_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION_NAME", "us-east-1")


async def error_of(model: str, **options: Any) -> EnrichmentError:
    litellm = importlib.import_module("litellm")
    messages = [{"role": "user", "content": "private"}]
    with pytest.raises(Exception) as raised:  # noqa: PT011  # its translation is the subject
        await litellm.acompletion(model=model, messages=messages, timeout=60, max_retries=0, num_retries=0, **options)
    return fault_of(raised.value)


@pytest.mark.usefixtures("_no_keys")
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("openai/a", KeyMissing),
        ("azure/a", KeyMissing),
        ("anthropic/a", KeyMissing),
        ("gemini/a", KeyMissing),
        ("fireworks_ai/a", KeyMissing),
        ("cloudflare/a", KeyMissing),
        ("perplexity/a", KeyMissing),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", KeyMissing),
        ("vertex_ai/gemini-1.5-pro", PackageMissing),
    ],
)
@in_one_loop
async def test_missing_key_or_package_is_not_an_outage(model: str, kind: type[EnrichmentError]) -> None:
    assert type(await error_of(model, api_base=NOWHERE)) is kind


@pytest.mark.parametrize("model", PROVIDERS)
@in_one_loop
async def test_key_with_a_line_end_is_not_an_outage(model: str, server: FakeLLMServer) -> None:
    assert type(await error_of(model, api_base=server.url, api_key="private\n")) is RequestUnsendable


@pytest.mark.parametrize("model", PROVIDERS)
@in_one_loop
async def test_address_without_a_scheme_is_not_an_outage(model: str) -> None:
    assert type(await error_of(model, api_base="127.0.0.1:9", api_key="private")) is RequestUnsendable


@pytest.mark.parametrize("model", PROVIDERS)
@in_one_loop
async def test_closed_port_is_an_outage(model: str) -> None:
    assert type(await error_of(model, api_base=NOWHERE, api_key="private")) is ProviderUnavailable

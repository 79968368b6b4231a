"""Which key and which parameters arrive at a server, over real HTTP."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from enrichment.config import LLMSettings
from enrichment.errors import EnrichmentError
from enrichment.providers.variables import key_names, secret_names
from tests.enrichment.leaks import TEXT
from tests.enrichment.providers.environment import only
from tests.enrichment.providers.recording_server import RecordingServer, recording

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

HOSTED = (
    "anthropic",
    "azure",
    "azure_ai",
    "cohere_chat",
    "deepseek",
    "fireworks_ai",
    "gemini",
    "groq",
    "huggingface",
    "mistral",
    "openai",
    "openrouter",
    "perplexity",
    "sambanova",
    "scaleway",
    "together_ai",
    "xai",
)
LOCAL = ("docker_model_runner", "hosted_vllm", "llamafile", "lm_studio", "ollama_chat", "xinference")
# Azure needs a login to get a token for a secret, and LiteLLM sends these to addresses of their own.
NOT_SENT = {"AZURE_CLIENT_SECRET", "MISTRAL_AZURE_API_KEY"}
CANARY = "canary-key"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_other_host_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    look_up, others = socket.getaddrinfo, []

    def look_up_loopback(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "127.0.0.1":
            return look_up(host, *arguments, **options)
        others.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up_loopback)
    yield
    assert others == []


async def requests_of(
    provider_class: "type[LiteLLMProvider]", server: RecordingServer, settings: LLMSettings, **environment: str
) -> list[str]:
    """Return what the server was sent for one text."""
    server.requests.clear()
    with only(AZURE_API_VERSION="2024-10-21", **environment), pytest.raises(EnrichmentError):
        await provider_class(settings).enrich_item(TEXT)
    return list(server.requests)


@pytest.mark.parametrize("provider", HOSTED + LOCAL)
async def test_key_is_sent_under_each_of_its_names(
    provider: str, litellm_provider: "type[LiteLLMProvider]", server: RecordingServer
) -> None:
    settings = LLMSettings(model=f"{provider}/any", api_base=server.url, max_retries=0)

    for name in set(key_names(provider)) - NOT_SENT:
        requests = await requests_of(litellm_provider, server, settings, **{name: f" {CANARY}\n"})

        assert [CANARY in request for request in requests] == [True], name


@pytest.mark.parametrize("provider", HOSTED + LOCAL)
async def test_no_key_is_sent_to_the_own_address_of_a_model(
    provider: str, litellm_provider: "type[LiteLLMProvider]", server: RecordingServer, tmp_path: Path
) -> None:
    names = {"OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", *secret_names(provider)} - NOT_SENT
    keys = dict.fromkeys(names, CANARY)
    path = tmp_path / "models.toml"
    path.write_text(f'[[model_list]]\nmodel = "{provider}/any"\napi_base = "{server.url}"\n')

    requests = await requests_of(
        litellm_provider, server, LLMSettings(models=str(path), max_retries=0), **keys, AZURE_API_BASE=server.url
    )

    assert [CANARY in request for request in requests] == [False]


@pytest.mark.parametrize("provider", HOSTED + LOCAL)
async def test_other_keys_are_not_sent_in_place_of_a_missing_one(
    provider: str, litellm_provider: "type[LiteLLMProvider]", server: RecordingServer
) -> None:
    settings = LLMSettings(model=f"{provider}/any", api_base=server.url, max_retries=0)
    others = {name: CANARY for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY") if name not in key_names(provider)}

    requests = await requests_of(litellm_provider, server, settings, **others)

    assert [CANARY in request for request in requests] == [False]


async def test_each_model_of_the_file_gets_its_own_key_and_parameters(
    litellm_provider: "type[LiteLLMProvider]", server: RecordingServer, tmp_path: Path
) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        f"""
        [[model_list]]
        model = "openai/any"
        api_base = "{server.url}/first"
        temperature = "none"
        max_tokens = 77
        extra_headers = {{ X-Team = "notes" }}

        [[model_list]]
        model = "openai/o3-mini"
        api_base = "{server.url}/second"
        api_key_env = "MINE"
        reasoning_effort = "low"
        """
    )
    keys = {"OPENAI_API_KEY": CANARY, "MINE": "my-key"}

    first, second = await requests_of(litellm_provider, server, LLMSettings(models=str(path), max_retries=0), **keys)

    bodies = [json.loads(request.partition("\n\n")[2]) for request in (first, second)]
    assert first.startswith("/first/chat/completions\n")
    assert "x-team: notes" in first.lower()
    assert ("Bearer none" in first, CANARY in first, bodies[0]["max_tokens"]) == (True, False, 77)
    assert "temperature" not in bodies[0]
    assert second.startswith("/second/chat/completions\n")
    assert "x-team" not in second.lower()
    assert ("Bearer my-key" in second, CANARY in second, bodies[1]["reasoning_effort"]) == (True, False, "low")


async def test_azure_model_of_the_file_has_its_own_version_and_key(
    litellm_provider: "type[LiteLLMProvider]", server: RecordingServer, tmp_path: Path
) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        f"""
        [[model_list]]
        model = "azure/notes"
        api_base = "{server.url}"
        api_version = "2024-06-01"
        api_key_env = "MINE"
        """
    )
    keys = {"AZURE_API_KEY": CANARY, "MINE": "my-key"}

    (request,) = await requests_of(litellm_provider, server, LLMSettings(models=str(path), max_retries=0), **keys)

    assert request.startswith("/openai/deployments/notes/chat/completions?api-version=2024-06-01\n")
    assert "api-key: my-key\n" in request
    assert CANARY not in request


async def test_real_key_is_not_sent_home_when_the_fallback_is_hosted(
    litellm_provider: "type[LiteLLMProvider]", server: RecordingServer
) -> None:
    settings = LLMSettings(
        model="openai/any", fallback_models=("openai/gpt-4o-mini",), api_base=f"{server.url}/home", max_retries=0
    )

    home, hosted = await requests_of(
        litellm_provider, server, settings, OPENAI_API_KEY=CANARY, OPENAI_BASE_URL=f"{server.url}/hosted"
    )

    assert (home.startswith("/home/"), CANARY in home) == (True, False)
    assert (hosted.startswith("/hosted/"), CANARY in hosted) == (True, True)


async def test_secret_of_aws_signs_requests_and_is_not_sent(
    litellm_provider: "type[LiteLLMProvider]", server: RecordingServer
) -> None:
    settings = LLMSettings(model="bedrock/anthropic.claude-3-haiku-20240307-v1:0", api_base=server.url, max_retries=0)
    keys = {"AWS_ACCESS_KEY_ID": "my-id\n", "AWS_SECRET_ACCESS_KEY": f"{CANARY}\n", "AWS_REGION_NAME": "eu-west-1"}

    (request,) = await requests_of(litellm_provider, server, settings, **keys)

    assert "Credential=my-id/" in request
    assert "/eu-west-1/bedrock/" in request
    assert CANARY not in request

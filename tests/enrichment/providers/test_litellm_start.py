"""The start of the provider: invalid settings, and silent libraries."""

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.management.supervisor import EXIT_MISCONFIGURED
from enrichment.providers.factory import build_provider
from enrichment.providers.stub import StubProvider
from tests.enrichment.leaks import KEY

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider


@pytest.mark.parametrize("key", [None, "", "  "])
def test_missing_key_is_named(key: str | None, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    if key is not None:
        monkeypatch.setenv("OPENAI_API_KEY", key)

    with pytest.raises(InvalidSettings, match="OPENAI_API_KEY must be set, because LITEVAULT_LLM_MODEL needs it"):
        build_provider(LLMSettings())


def test_listener_without_a_key_is_refused_in_one_sentence(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr(settings, "LLM", LLMSettings())

    with pytest.raises(CommandError, match="OPENAI_API_KEY must be set") as raised:
        call_command("enrich_listener")

    assert raised.value.returncode == EXIT_MISCONFIGURED


@pytest.mark.parametrize("provider", ["litellm", "stub"])
def test_listener_with_an_invalid_file_is_refused_in_one_sentence(
    provider: Literal["litellm", "stub"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LLM", LLMSettings(provider=provider, models="/none.toml"))

    with pytest.raises(CommandError, match="LITEVAULT_LLM_MODELS must be the path of a TOML file") as raised:
        call_command("enrich_listener")

    assert raised.value.returncode == EXIT_MISCONFIGURED


def test_missing_key_of_a_fallback_model_is_named(keys: None) -> None:
    settings = LLMSettings(fallback_models=("gemini/gemini-2.0-flash",))

    with pytest.raises(InvalidSettings, match=r"GEMINI_API_KEY or GOOGLE_API_KEY must be set, .*FALLBACK_MODELS"):
        build_provider(settings)


@pytest.mark.parametrize("names", [{"model": "some-model"}, {"fallback_models": ("nobody/some-model",)}])
def test_unknown_provider_is_refused_without_repeating_it(names: dict[str, Any], keys: None) -> None:
    with pytest.raises(InvalidSettings, match=r"LITEVAULT_LLM_.*MODELS? must be written provider/model") as raised:
        build_provider(LLMSettings(**names))

    assert "some-model" not in str(raised.value)


def test_stub_needs_no_key(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    assert isinstance(build_provider(LLMSettings(provider="stub")), StubProvider)


def test_local_model_needs_no_key(keys: None, litellm_provider: "type[LiteLLMProvider]") -> None:
    provider = build_provider(LLMSettings(model="ollama_chat/llama3.2"))

    assert isinstance(provider, litellm_provider)


@pytest.mark.thorough
def test_libraries_are_quiet_and_need_no_network_to_start() -> None:
    program = """
import logging, socket
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("asyncio").setLevel(logging.WARNING)
def refuse(*_): raise AssertionError("the import uses the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from enrichment.config import LLMSettings
from enrichment.providers.factory import build_provider
build_provider(LLMSettings())
for name in ("LiteLLM", "instructor.v2.retry", "openai._base_client", "httpx"):
    logging.getLogger(name).critical("The library speaks.")
"""
    environment = {**os.environ, "OPENAI_API_KEY": KEY, "LITELLM_LOG": "DEBUG", "OPENAI_LOG": "debug"}

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, env=environment
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

"""What the worker passes to LiteLLM for each model, and what it refuses at start."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from enrichment.config import InvalidSettings, LLMSettings
from tests.enrichment.providers.environment import only

HOME, AWAY = "http://127.0.0.1:9/v1", "https://away.example/v1"
NO_KEY = {"api_key": "none"}
AT_HOME = {"api_base": HOME}
GEMINI = "gemini/gemini-2.0-flash"
AZURE = {"AZURE_API_BASE": AWAY, "AZURE_API_VERSION": "2024-10-21"}
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "key"}
BEDROCK = "bedrock/anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture
def module(litellm_provider: type) -> ModuleType:
    return sys.modules[litellm_provider.__module__]


def passed(module: ModuleType, settings: LLMSettings, environment: dict[str, str]) -> list[dict[str, str]]:
    with only(**environment):
        return [route.address for route in module._routes(settings)]


def refused(module: ModuleType, settings: LLMSettings, environment: dict[str, str]) -> str:
    with pytest.raises(InvalidSettings) as raised:
        passed(module, settings, environment)
    assert raised.value.__context__ is None
    return str(raised.value)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("anthropic/any", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]),
        ("azure/any", ["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"]),
        ("azure_ai/any", ["AZURE_AI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_AD_TOKEN"]),
        ("cohere_chat/any", ["COHERE_API_KEY", "CO_API_KEY"]),
        ("deepseek/any", ["DEEPSEEK_API_KEY"]),
        (
            "fireworks_ai/any",
            ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
        ),
        (GEMINI, ["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
        ("groq/any", ["GROQ_API_KEY"]),
        ("huggingface/any", ["HF_TOKEN", "HUGGINGFACE_API_KEY"]),
        ("mistral/any", ["MISTRAL_API_KEY", "MISTRAL_AZURE_API_KEY"]),
        ("openai/any", ["OPENAI_API_KEY"]),
        ("openrouter/any", ["OPENROUTER_API_KEY", "OR_API_KEY"]),
        ("perplexity/any", ["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"]),
        ("sambanova/any", ["SAMBANOVA_API_KEY"]),
        ("scaleway/any", ["SCW_SECRET_KEY"]),
        ("together_ai/any", ["TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"]),
    ],
)
def test_each_name_of_a_key_is_accepted(module: ModuleType, model: str, names: list[str]) -> None:
    others = {**AZURE, "AZURE_AI_API_BASE": AWAY} if model.startswith("azure") else {}
    for name in names:
        environment = {**others, name: "key"}

        assert passed(module, LLMSettings(model=model), environment) == [{}]
        assert passed(module, LLMSettings(model=model, api_base=HOME), environment) == [AT_HOME]
    sentence = refused(module, LLMSettings(model=model), others)

    assert all(name in sentence for name in names)
    assert "must be set, because LITEVAULT_LLM_MODEL needs it" in sentence
    assert passed(module, LLMSettings(model=model, api_base=HOME), others) == [AT_HOME | NO_KEY]


@pytest.mark.parametrize(
    ("model", "environment", "missing"),
    [
        ("azure/any", {"AZURE_API_KEY": "key", "AZURE_API_BASE": AWAY}, "AZURE_API_VERSION"),
        ("azure/any", {"AZURE_API_KEY": "key", "AZURE_API_VERSION": "1"}, "AZURE_API_BASE"),
        ("azure/any", {"AZURE_API_KEY": "key", **AZURE, "AZURE_API_VERSION": " "}, "AZURE_API_VERSION"),
        ("azure/any", {"AZURE_OPENAI_API_KEY": "key"}, "AZURE_API_BASE, AZURE_API_VERSION"),
        ("azure_ai/any", {"AZURE_AI_API_KEY": "key"}, "AZURE_AI_API_BASE"),
        ("cloudflare/any", {"CLOUDFLARE_API_KEY": "key"}, "CLOUDFLARE_API_BASE"),
        (BEDROCK, AWS_KEYS, "AWS_REGION_NAME"),
        (BEDROCK, {"AWS_REGION_NAME": "eu-west-1"}, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
        ("sagemaker_chat/any", {}, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION_NAME"),
    ],
)
def test_every_missing_variable_is_named(
    module: ModuleType, model: str, environment: dict[str, str], missing: str
) -> None:
    assert refused(module, LLMSettings(model=model), environment) == (
        f"{missing} must be set, because LITEVAULT_LLM_MODEL needs it"
    )


@pytest.mark.parametrize(
    "environment",
    [
        {**AWS_KEYS, "AWS_REGION_NAME": "eu-west-1"},
        {**AWS_KEYS, "AWS_REGION": "eu-west-1"},
        {**AWS_KEYS, "AWS_DEFAULT_REGION": "eu-west-1"},
        {"AWS_BEARER_TOKEN_BEDROCK": "key", "AWS_REGION_NAME": "eu-west-1"},
    ],
)
def test_bedrock_needs_credentials_and_a_region(module: ModuleType, environment: dict[str, str]) -> None:
    assert passed(module, LLMSettings(model=BEDROCK), environment) == [{}]


@pytest.mark.parametrize("model", ["vertex_ai/gemini-2.0-flash", "vllm/any"])
def test_missing_package_is_named(module: ModuleType, model: str) -> None:
    sentence = refused(module, LLMSettings(model=model), {"VERTEXAI_PROJECT": "p", "VERTEXAI_LOCATION": "l"})

    assert sentence.startswith("LITEVAULT_LLM_MODEL needs the Python package ")


@pytest.mark.parametrize(
    ("model", "environment", "sentence"),
    [
        ("openai/any", {"OPENAI_API_KEY": "sk-canäry"}, "OPENAI_API_KEY must be one line of ASCII characters"),
        ("openai/any", {"OPENAI_API_KEY": "sk-canary\nx"}, "OPENAI_API_KEY must be one line of ASCII characters"),
        ("huggingface/any", {"HF_TOKEN": "\ufeffcanary"}, "HF_TOKEN must be one line of ASCII characters"),
        ("openai/any", {"OPENAI_BASE_URL": "canary:8000"}, "OPENAI_BASE_URL must begin with http:// or https://"),
        ("ollama_chat/any", {"OLLAMA_API_BASE": "canary"}, "OLLAMA_API_BASE must begin with http:// or https://"),
        ("azure/any", {**AZURE, "AZURE_API_BASE": "canary"}, "AZURE_API_BASE must begin with http:// or https://"),
    ],
)
def test_unusable_value_is_refused_without_showing_it(
    module: ModuleType, model: str, environment: dict[str, str], sentence: str
) -> None:
    assert refused(module, LLMSettings(model=model), environment) == sentence


def test_keys_and_addresses_are_stripped(module: ModuleType) -> None:
    with only(AZURE_API_KEY="\tkey\r\n", AZURE_API_BASE=f" {AWAY}\n", AZURE_API_VERSION="1", AZURE_OPENAI_API_KEY=" "):
        list(module._routes(LLMSettings(model="azure/any")))

        assert (os.environ["AZURE_API_KEY"], os.environ["AZURE_API_BASE"]) == ("key", AWAY)
        assert "AZURE_OPENAI_API_KEY" not in os.environ


@pytest.mark.parametrize(("model", "name"), [("openai/any", "OPENAI_API_KEY"), ("huggingface/any", "HF_TOKEN")])
def test_key_is_read_from_a_file(module: ModuleType, model: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-from-file\n")
    settings = LLMSettings(model=model)
    with only(**{f"{name}_FILE": str(path)}):
        for _ in range(2):
            assert [route.address for route in module._routes(settings)] == [{}]

        assert os.environ[name] == "sk-from-file"
    both = {name: "key", f"{name}_FILE": str(path)}
    assert refused(module, settings, both) == f"{name} and {name}_FILE are both set. Unset one of them"
    path.write_text("\n")
    for unreadable in (path, tmp_path, tmp_path / "none"):
        assert refused(module, settings, {f"{name}_FILE": str(unreadable)}).startswith(f"{name}_FILE must be the path")


@pytest.mark.parametrize(
    ("models", "environment", "addresses"),
    [
        # One address for one provider.
        (["openai/a", "openai/b"], {"OPENAI_API_KEY": "key"}, [AT_HOME, AT_HOME]),
        (["openai/a", "openai/b"], {}, [AT_HOME | NO_KEY, AT_HOME | NO_KEY]),
        (["ollama_chat/a", "ollama/b"], {}, [AT_HOME | NO_KEY, AT_HOME | NO_KEY]),
        (["ollama_chat/a", "openai/b"], {"OPENAI_API_KEY": "key"}, [AT_HOME | NO_KEY, {}]),
        (["openai/a", "anthropic/b"], {"ANTHROPIC_API_KEY": "key"}, [AT_HOME | NO_KEY, {}]),
        # The provider's own address holds for fallbacks, and then its key is meant for that address only.
        (["openai/a", "openai/b"], {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": AWAY}, [AT_HOME | NO_KEY, {}]),
        (["openai/a", "openai/b"], {"OPENAI_API_KEY": "key", "OPENAI_API_BASE": AWAY}, [AT_HOME | NO_KEY, {}]),
        (["openai/a", "openai/b"], {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": HOME}, [AT_HOME, {}]),
        (["openai/a"], {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": AWAY}, [AT_HOME]),
        (["ollama_chat/a", "ollama/b"], {"OLLAMA_API_BASE": AWAY}, [AT_HOME | NO_KEY, NO_KEY]),
        ([BEDROCK], {**AWS_KEYS, "AWS_REGION": "eu-west-1"}, [AT_HOME]),
    ],
)
def test_short_form_has_one_address(
    module: ModuleType, models: list[str], environment: dict[str, str], addresses: list[dict[str, str]]
) -> None:
    settings = LLMSettings(model=models[0], fallback_models=tuple(models[1:]), api_base=HOME)

    assert passed(module, settings, environment) == addresses


def test_fallback_at_the_providers_address_needs_its_key(module: ModuleType) -> None:
    settings = LLMSettings(model="openai/a", fallback_models=("openai/b",), api_base=HOME)

    assert refused(module, settings, {"OPENAI_BASE_URL": AWAY}) == (
        "OPENAI_API_KEY must be set, because LITEVAULT_LLM_FALLBACK_MODELS needs it"
    )


@pytest.mark.parametrize(
    ("table", "environment", "address"),
    [
        ('model = "openai/a"', {"OPENAI_API_KEY": "key"}, {}),
        (f'model = "openai/a"\napi_base = "{HOME}"', {"OPENAI_API_KEY": "key"}, AT_HOME | NO_KEY),
        (f'model = "openai/a"\napi_base = "{HOME}"', {}, AT_HOME | NO_KEY),
        (
            f'model = "openai/a"\napi_base = "{HOME}"\napi_key_env = "MINE"',
            {"OPENAI_API_KEY": "key", "MINE": " other\n"},
            AT_HOME | {"api_key": "other"},
        ),
        (
            f'model = "openai/a"\napi_base = "{HOME}"\napi_key_env = "OPENAI_API_KEY"',
            {"OPENAI_API_KEY": "key"},
            AT_HOME | {"api_key": "key"},
        ),
        ('model = "openai/a"\napi_key_env = "MINE"', {"OPENAI_API_KEY": "key", "MINE": "other"}, {"api_key": "other"}),
        ('model = "hosted_vllm/a"', {"HOSTED_VLLM_API_KEY": "key"}, {"api_key": "key"}),
        (f'model = "hosted_vllm/a"\napi_base = "{HOME}"', {"HOSTED_VLLM_API_KEY": "key"}, AT_HOME | NO_KEY),
        (
            f'model = "azure/a"\napi_base = "{HOME}"\napi_version = "1"\napi_key_env = "MINE"',
            {"MINE": "other"},
            AT_HOME | {"api_key": "other", "api_version": "1"},
        ),
    ],
)
def test_model_of_the_file_has_its_own_address_and_key(
    module: ModuleType, tmp_path: Path, table: str, environment: dict[str, str], address: dict[str, Any]
) -> None:
    path = tmp_path / "models.toml"
    path.write_text(f"[[model_list]]\n{table}\n")

    assert passed(module, LLMSettings(models=str(path)), environment) == [address]


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        (f'model = "openai/a"\napi_base = "{HOME}"\napi_key_env = "MINE"', "MINE"),
        ('model = "openai/a"', "OPENAI_API_KEY"),
        (f'model = "azure/a"\napi_base = "{HOME}"', "AZURE_API_VERSION"),
    ],
)
def test_missing_variable_names_the_model_of_the_file(
    module: ModuleType, tmp_path: Path, table: str, missing: str
) -> None:
    path = tmp_path / "models.toml"
    path.write_text(f'[[model_list]]\nmodel = "lm_studio/x"\n[[model_list]]\n{table}\n')

    sentence = refused(module, LLMSettings(models=str(path)), {})

    assert sentence == f"{missing} must be set, because model 2 of LITEVAULT_LLM_MODELS needs it"

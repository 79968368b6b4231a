"""The values that the settings of enrichment accept, and the errors for others."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from enrichment.config import EnrichSettings, InvalidSettings, LLMSettings
from enrichment.model_settings import ModelSettings

FILE = """
[[model_list]]
model = "openai/any"
api_base = "http://127.0.0.1:8080/v1"
api_key_env = "HOME_KEY"
mode = "json_schema"
max_tokens = 512
temperature = "none"
requests_per_minute = 60
tokens_per_minute = 9000
extra_headers = { X-Team = "notes" }

[[model_list]]
model = "openai/gpt-4o-mini"
reasoning_effort = "low"
input_usd_per_million = 0.15
output_usd_per_million = 0.6
"""
MODEL = "[[model_list]]\nmodel = 'a/b'\n"
NOT_A_FILE = "LITEVAULT_LLM_MODELS must be the path of a TOML file with 1 to 20 [[model_list]] tables"
INVALID = "of LITEVAULT_LLM_MODELS is not valid. Look at"
SEE = ": docs/models.md lists the fields"


def test_defaults_are_those_of_the_documentation() -> None:
    llm = LLMSettings.from_environment({})

    assert (llm.provider, llm.model, llm.concurrency) == ("litellm", "openai/gpt-4o-mini", 3)
    assert EnrichSettings.from_environment({}).lease_seconds == 45


def test_variables_are_read_by_their_names() -> None:
    llm = LLMSettings.from_environment(
        {"LITEVAULT_LLM_CONCURRENCY": " 7 ", "LITEVAULT_LLM_FALLBACK_MODELS": "a/b, c/d,", "OTHER": "x"}
    )

    assert llm.concurrency == 7
    assert [model.model for model in llm.model_list] == ["openai/gpt-4o-mini", "a/b", "c/d"]


def test_empty_variable_means_the_default() -> None:
    assert LLMSettings.from_environment({"LITEVAULT_LLM_MODEL": " "}) == LLMSettings()


def test_deadline_covers_every_try() -> None:
    llm = LLMSettings(timeout_seconds=10, max_retries=2)

    assert llm.deadline_seconds == 30


def test_fallbacks_have_the_same_time_as_the_first_model() -> None:
    llm = LLMSettings(timeout_seconds=10, max_retries=2, fallback_models=("a/b", "c/d"))

    assert (llm.seconds_per_model, llm.deadline_seconds) == (30, 90)


@pytest.mark.parametrize(("value", "temperature"), [("none", None), ("None", None), ("0.7", 0.7), ("", 0.3)])
def test_temperature_may_be_none(value: str, temperature: float | None) -> None:
    llm = LLMSettings.from_environment({"LITEVAULT_LLM_TEMPERATURE": value})

    assert [model.temperature for model in llm.model_list] == [temperature]


def test_short_form_gives_all_models_the_same_settings() -> None:
    llm = LLMSettings(model="a/b", fallback_models=("c/d",), mode="json", temperature=1, max_tokens=99)

    assert llm.model_list == tuple(
        ModelSettings(model=name, mode="json", temperature=1, max_tokens=99) for name in ("a/b", "c/d")
    )


def test_file_gives_each_model_its_own_settings(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(FILE)

    first, second = LLMSettings(models=str(path), mode="json", max_tokens=99).model_list

    assert first == ModelSettings(
        model="openai/any",
        api_base="http://127.0.0.1:8080/v1",
        api_key_env="HOME_KEY",
        mode="json_schema",
        max_tokens=512,
        temperature=None,
        extra_headers={"X-Team": "notes"},
        requests_per_minute=60,
        tokens_per_minute=9000,
    )
    assert second == ModelSettings(
        model="openai/gpt-4o-mini",
        mode="json",
        max_tokens=99,
        reasoning_effort="low",
        input_usd_per_million=Decimal("0.15"),
        output_usd_per_million=Decimal("0.6"),
    )


def test_one_model_of_the_file_is_chosen_with_its_table(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(FILE)
    settings = LLMSettings(models=str(path), mode="json", max_tokens=99)

    chosen, other = settings.with_one_model("openai/any"), settings.with_one_model("groq/any")

    assert chosen.model_list == settings.model_list[:1]
    assert other.model_list == (ModelSettings(model="groq/any", mode="json", max_tokens=99),)
    assert len(settings.model_list) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, NOT_A_FILE),
        ("", NOT_A_FILE),
        ("model_list = 1", NOT_A_FILE),
        ("model_list = []", NOT_A_FILE),
        ("model_list = [1]", NOT_A_FILE),
        ("[[models]]", NOT_A_FILE),
        ("key = 'canary'\n[[model_list]]\nmodel = 'a/b'", NOT_A_FILE),
        ("[[model_list]]\nmodel = 'a/b'\n" * 21, NOT_A_FILE),
        ("[[model_list]]\nmodel = 'a/b", NOT_A_FILE),
        ("[[model_list]]", f"model 1 {INVALID} model{SEE}"),
        ("[[model_list]]\nmodel = 'a/b'\n" + MODEL + "api_base = 'canary:1'", f"model 2 {INVALID} api_base{SEE}"),
        (MODEL + "temperature = 3\nmax_tokens = 1", f"model 1 {INVALID} max_tokens, temperature{SEE}"),
        (MODEL + "api_key = 'canary'", f"model 1 {INVALID} api_key{SEE}"),
        (MODEL + "api_key_env = 'sk-canary'", f"model 1 {INVALID} api_key_env{SEE}"),
        (MODEL + "extra_headers = {'X-Key' = 'a\u00e4'}", f"model 1 {INVALID} extra_headers{SEE}"),
        (MODEL + "input_usd_per_million = 1", f"model 1 {INVALID} prices{SEE}"),
        (MODEL + "requests_per_minute = 0", f"model 1 {INVALID} requests_per_minute{SEE}"),
    ],
)
def test_invalid_file_is_refused_in_one_sentence(content: str | None, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(InvalidSettings) as refused:
        _ = LLMSettings(models=str(path)).model_list

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ({"model": "a/b"}, "LITEVAULT_LLM_MODEL"),
        ({"fallback_models": ("a/b",)}, "LITEVAULT_LLM_FALLBACK_MODELS"),
        ({"api_base": "http://127.0.0.1:1"}, "LITEVAULT_LLM_API_BASE"),
    ],
)
def test_file_and_short_form_exclude_each_other(short: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"^LITEVAULT_LLM_MODELS replaces {name}: unset one of them$"):
        _ = LLMSettings(models="models.toml", **short).model_list


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LITEVAULT_LLM_CONCURRENCY", "0", "must be a whole number from 1 to 1000"),
        ("LITEVAULT_LLM_CONCURRENCY", "1.5", "must be a whole number from 1 to 1000"),
        ("LITEVAULT_LLM_TEMPERATURE", "2.1", "must be a number from 0 to 2, or none"),
        ("LITEVAULT_LLM_API_BASE", "127.0.0.1:8080", "must be a value like http://127.0.0.1:11434/v1"),
        ("LITEVAULT_LLM_TIMEOUT_SECONDS", "nan", "must be a number from 0.1 to 600"),
        ("LITEVAULT_LLM_PROVIDER", "openai", "must be one of litellm, stub"),
        ("LITEVAULT_LLM_MODE", "xml", "must be one of auto, tools, json_schema, json"),
        ("LITEVAULT_LLM_MODEL", "m" * 201, "must be a text of 1 to 200 characters"),
        (
            "LITEVAULT_LLM_FALLBACK_MODELS",
            "a," + "m" * 201,
            "must be names of up to 200 characters each, separated by commas",
        ),
    ],
)
def test_value_out_of_range_names_the_variable_and_the_range(name: str, value: str, sentence: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        LLMSettings.from_environment({name: value})

    assert str(refused.value) == f"{name} {sentence}"


def test_error_never_shows_the_invalid_value() -> None:
    with pytest.raises(InvalidSettings) as refused:
        LLMSettings.from_environment({"LITEVAULT_LLM_MAX_TOKENS": "sk-canary"})

    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_all_invalid_settings_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings, match=r"LEASE_SECONDS.*; .*SWEEP_SECONDS"):
        EnrichSettings.from_environment({"LITEVAULT_ENRICH_LEASE_SECONDS": "0", "LITEVAULT_ENRICH_SWEEP_SECONDS": "0"})

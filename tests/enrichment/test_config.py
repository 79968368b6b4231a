"""The values that the settings of enrichment accept, and the errors for others."""

import pytest

from enrichment.config import EnrichSettings, InvalidSettings, LLMSettings


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


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LITEVAULT_LLM_CONCURRENCY", "0", "must be a whole number from 1 to 1000"),
        ("LITEVAULT_LLM_CONCURRENCY", "1.5", "must be a whole number from 1 to 1000"),
        ("LITEVAULT_LLM_TEMPERATURE", "2.1", "must be a number from 0 to 2"),
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

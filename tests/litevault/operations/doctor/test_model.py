"""Check of the model, with calls to a fake one."""

import pytest
from pytest_django import Settings

from enrichment.config import LLMSettings
from tests.enrichment.fake_llm_server import serving
from tests.litevault.operations.doctor.command import run_doctor

pytestmark = pytest.mark.django_db(transaction=True)


def test_model_that_refuses_is_reported_without_its_key(
    listener_connection: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with serving("status_401") as model:
        settings.LLM = LLMSettings(api_base=model.url)

        code, output = run_doctor()

    assert code == 1
    assert "LLM_API_ERROR" in output
    assert "OPENAI_API_KEY" in output
    assert "sk-canary" not in output


def test_model_that_responds_is_reported(
    listener_connection: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with serving("ok") as model:
        settings.LLM = LLMSettings(api_base=model.url)

        code, output = run_doctor()
        calls = len(model.calls)
        run_doctor("--no-model")

        assert len(model.calls) == calls == 1
    assert code == 0, output
    assert "openai/gpt-4o-mini responds in" in output


def test_model_without_a_key_is_reported(
    listener_connection: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.LLM = LLMSettings(provider="litellm")

    code, output = run_doctor("--no-model")

    assert code == 1
    assert "OPENAI_API_KEY" in output


@pytest.mark.parametrize(
    ("answer", "code_of_error"),
    [("reset", "LLM_API_ERROR"), ("status_500", "LLM_API_ERROR"), ("wrong_schema", "LLM_VALIDATION_ERROR")],
)
def test_model_that_fails_is_reported(
    listener_connection: object,
    stub: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code_of_error: str,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with serving(answer) as model:
        settings.LLM = LLMSettings(api_base=model.url)

        code, output = run_doctor()

    assert code == 1
    assert "failed model" in output
    assert code_of_error in output

"""`manage.py enrich_text`, with a fake model server and without a database."""

import io
import json
import os
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from enrichment.config import LLMSettings
from items.texts import raw_text_max_length
from postgres.embedded.embedded import PROJECT
from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.enrichment.leaks import KEY, TEXT
from tests.waiting import PATIENCE_SECONDS, until

MODEL = "openai/gpt-4o-mini"


@pytest.fixture(autouse=True)
def configured(litellm_provider: object, server: FakeLLMServer, keys: None, settings: Settings) -> None:
    settings.LLM = LLMSettings(model=MODEL, api_base=server.url, max_retries=1)


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def enrich_text(*arguments: object) -> tuple[int, str]:
    """Return the exit code and standard output."""
    output = io.StringIO()
    try:
        call_command("enrich_text", *map(str, arguments), stdout=output)
    except SystemExit as ended:
        return int(ended.code or 0), output.getvalue()
    return 0, output.getvalue()


def trials(*arguments: object) -> list[dict[str, Any]]:
    _, output = enrich_text(*arguments, "--json")
    return list(json.loads(output)["trials"])


def test_draft_is_printed_with_its_cost(text_file: Path, server: FakeLLMServer) -> None:
    code, output = enrich_text(text_file)

    rows = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert float(rows.pop("seconds")) >= 0
    assert rows == {
        "model": MODEL,
        "title": DRAFT["title"],
        "summary": DRAFT["summary"],
        "tags": "river, herons, walking",
        "type": "NOTE",
        "requests": "1",
        "tokens": "1,000 in, 100 out",
        "cost": "$0.000210",
    }
    assert code == 0
    assert len(server.calls) == 1


def test_error_is_printed_with_its_cause(text_file: Path, server: FakeLLMServer) -> None:
    server.script("status_401")

    code, output = enrich_text(text_file)

    assert code == 1
    assert "LLM_API_ERROR: The provider refused the key." in " ".join(output.split())
    assert "401" in output
    assert "title" not in output


def test_json_has_draft_and_error_of_each_model(text_file: Path, server: FakeLLMServer) -> None:
    server.script("wrong_schema", "ok", model="gpt-4o-mini")
    server.script("status_402", model="other")

    good, bad = trials(text_file, "--model", MODEL, "--model", "openai/other")

    assert good.pop("seconds") >= 0
    assert good == {
        "model": MODEL,
        "draft": {
            "title": DRAFT["title"],
            "summary": DRAFT["summary"],
            "tags": DRAFT["tags"],
            "sourceType": DRAFT["source_type"],
        },
        "error": None,
        "requests": 2,
        "promptTokens": 2000,
        "completionTokens": 200,
        "costUsd": "0.00042000",
    }
    assert (bad["model"], bad["draft"], bad["requests"]) == ("openai/other", None, 1)
    assert (bad["error"]["code"], bad["error"]["httpStatus"]) == ("LLM_API_ERROR", 402)


def test_each_model_is_tried_without_fallbacks(text_file: Path, server: FakeLLMServer, settings: Settings) -> None:
    settings.LLM = settings.LLM.model_copy(update={"fallback_models": ("openai/fallback",)})
    server.script("status_401", model="first")

    tried = trials(text_file, "--model", "openai/first", "--model", "openai/second", "--model", "openai/first")

    assert [(trial["model"], bool(trial["draft"])) for trial in tried] == [
        ("openai/first", False),
        ("openai/second", True),
    ]
    assert [call.model for call in server.calls] == ["first", "second"]


def test_configured_fallback_that_responds_is_named(text_file: Path, server: FakeLLMServer, settings: Settings) -> None:
    settings.LLM = settings.LLM.model_copy(update={"fallback_models": ("openai/fallback",)})
    server.script("status_401", model="gpt-4o-mini")

    (trial,) = trials(text_file)

    assert (trial["model"], trial["requests"]) == ("openai/fallback", 2)


def test_model_without_a_key_does_not_end_the_others(text_file: Path, server: FakeLLMServer) -> None:
    code, output = enrich_text(text_file, "--model", "anthropic/claude-sonnet-4-5", "--model", MODEL, "--json")

    missing, good = json.loads(output)["trials"]
    assert "ANTHROPIC_API_KEY" in missing["error"]["message"]
    assert (missing["error"]["code"], missing["requests"]) == (None, 0)
    assert good["draft"]["title"] == DRAFT["title"]
    assert code == 1


def test_models_stand_side_by_side_within_the_width(
    text_file: Path, server: FakeLLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    server.script("wrong_schema", model="other")

    code, output = enrich_text(text_file, "--model", MODEL, "--model", "openai/other")

    lines = output.splitlines()
    assert lines[0].split() == ["model", MODEL, "openai/other"]
    assert max(map(len, lines)) <= 70
    assert "LLM_VALIDATION_ERROR" in output
    assert code == 1


def test_no_control_character_of_a_reply_is_printed(text_file: Path, server: FakeLLMServer) -> None:
    server.script("untidy")

    code, output = enrich_text(text_file)

    assert code == 0
    assert {character for character in output if unicodedata.category(character) in {"Cc", "Cf", "Cs"}} == {"\n"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "may not be blank"),
        (b" \n\t ", "may not be blank"),
        (b"caf\xe9", "not UTF-8"),
        (b"a\0b", "binary"),
        (b"x" * (raw_text_max_length() + 1), "may have at most 100,000 characters"),
    ],
)
def test_text_that_cannot_be_used_is_refused(
    tmp_path: Path, server: FakeLLMServer, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "note.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=reason) as refused:
        enrich_text(path)

    assert refused.value.returncode == 1
    assert str(refused.value).startswith(f"{path}: ")
    assert not server.calls


@pytest.mark.parametrize("arguments", [(), ("--model", MODEL), ("--model", MODEL, "--model", "stub")])
def test_missing_file_of_models_is_one_sentence(
    arguments: tuple[str, ...], text_file: Path, settings: Settings
) -> None:
    settings.LLM = LLMSettings(models=str(text_file.with_name("missing.toml")))

    with pytest.raises(CommandError, match=r"^LITEVAULT_LLM_MODELS must be the path of a TOML file"):
        enrich_text(text_file, *arguments)


def test_longest_text_in_utf_8_is_used(tmp_path: Path, server: FakeLLMServer) -> None:
    path = tmp_path / "note.txt"
    path.write_text("я" * raw_text_max_length(), encoding="utf-8-sig")

    (trial,) = trials(path, "--model", "stub")

    assert trial["draft"]["title"]
    assert (trial["model"], trial["requests"], trial["costUsd"]) == ("stub", 0, None)
    assert not server.calls


def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LITEVAULT_", "DATABASE_URL"))}
    return subprocess.Popen(
        [sys.executable, "manage.py", "enrich_text", *arguments],
        cwd=PROJECT,
        env=kept | {"OPENAI_API_KEY": KEY, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_standard_input_is_read_without_a_database() -> None:
    # A connection would fail: no server listens at this address.
    process = run("-", "--model", "stub", DATABASE_URL="postgresql://litevault@127.0.0.1:1/litevault")

    output, errors = process.communicate("Beans need warm soil.", timeout=PATIENCE_SECONDS)

    assert (process.returncode, errors) == (0, "")
    assert "Beans need warm soil" in output


@pytest.mark.thorough
def test_interrupt_ends_a_call_that_hangs(server: FakeLLMServer, text_file: Path) -> None:
    server.script("wrong_schema", "hang")  # after a reply, a cancellation carries its cost
    process = run(str(text_file), LITEVAULT_LLM_API_BASE=server.url, LITEVAULT_LLM_TIMEOUT_SECONDS="600")
    until(lambda: len(server.calls) == 2 or process.poll() is not None)

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert (process.returncode, output) == (130, "")
    assert errors == "Interrupted. Nothing is stored.\n"

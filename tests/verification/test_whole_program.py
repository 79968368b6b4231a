"""`make verify-llm` without its model: the whole program, with a fake one on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.fake_llm_server import serving
from verification.__main__ import chosen_models, parse


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "en-lamp.txt").write_text("The lighthouse keeper repaired the lamp.")
    (folder / "de-lampe.txt").write_text("Der Wärter hat die Lampe im Leuchtturm repariert.")
    return folder


def verify(*arguments: str) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    done = subprocess.run(
        [sys.executable, "-m", "verification", *arguments],
        cwd=settings.BASE_DIR,
        env=ours | {"OPENAI_API_KEY": "sk-test"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_named_model_enriches_the_texts_of_a_folder(texts: Path, tmp_path: Path) -> None:
    page = tmp_path / "drafts.html"
    with serving("ok", "refusal") as model:
        shown = verify(
            "--model", f"openai/any@{model.url}", "--texts", str(texts), "--mode", "json", "--page", str(page)
        )  # fmt: skip

    lampe, lamp = (line for line in shown.splitlines() if "-lamp" in line)
    # Both texts are sent at once, and the first reply is for either.
    valid, declined = (lamp, lampe) if "valid" in lamp else (lampe, lamp)
    assert {lampe.split()[0], lamp.split()[0]} == {"de-lampe", "en-lamp"}
    assert f"valid                 en        {DRAFT['title']} | {', '.join(DRAFT['tags'])}" in valid
    assert "LLM_VALIDATION_ERROR" in declined
    assert "The model declined to describe this text." in declined
    heading, scores = (line for line in shown.splitlines() if "ROUGE-1" in line or "1 of 2" in line)
    assert scores[heading.index("requests") :].split()[0] == "2"
    assert str(DRAFT["title"]) in page.read_text()


def test_models_are_called_in_turn_at_their_own_addresses() -> None:
    arguments = parse(
        [
            "--model",
            "openai/a",
            "--model",
            "ollama_chat/b:4b@http://127.0.0.1:11434",
            "--api-base",
            "http://127.0.0.1:1/v1",
        ]
    )

    models = []
    for _, called in chosen_models(arguments):
        with called() as model:
            models.append((model.name, model.api_base))

    assert models == [("openai/a", "http://127.0.0.1:1/v1"), ("ollama_chat/b:4b", "http://127.0.0.1:11434")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["smollm2"]),
        (["--packaged", "smollm2", "--packaged", "gemma3"], ["smollm2", "gemma3"]),
        (["--weights", "a.gguf", "--model", "openai/b"], ["openai/b", "a.gguf"]),
    ],
)
def test_small_model_is_served_where_none_is_named(words: list[str], expected: list[str]) -> None:
    assert [label for label, _ in chosen_models(parse(words))] == expected

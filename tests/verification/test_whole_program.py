"""`make verify-llm` without its model: the whole program, with a fake one on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.fake_llm_server import serving


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


def test_named_model_enriches_the_texts_of_a_folder(texts: Path) -> None:
    with serving("ok", "refusal") as model:
        shown = verify(
            "--model", "openai/any", "--api-base", model.url, "--texts", str(texts), "--mode", "json"
        )  # fmt: skip

    lampe, lamp = (line for line in shown.splitlines() if "-lamp" in line)
    # Both texts are asked about at once, and the first answer is for either.
    valid, declined = (lamp, lampe) if "valid" in lamp else (lampe, lamp)
    assert (lampe.split()[0], lamp.split()[0]) == ("de-lampe", "en-lamp")
    assert f"valid                 en        {DRAFT['title']} | {', '.join(DRAFT['tags'])}" in valid
    assert "LLM_VALIDATION_ERROR" in declined
    assert "The model declined to describe this text." in declined
    assert f"json         1 of 2 valid, {int(valid is lamp)} in the language of the text" in shown

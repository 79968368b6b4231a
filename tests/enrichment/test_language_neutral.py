"""The prompts favour no language, because models reply in the language that they read about."""

import json
import re

import pytest

from enrichment.prompts import SYSTEM_PROMPT, build_messages
from enrichment.providers.draft import Draft
from verification.__main__ import TEXTS

LATIN = ("english", "german", "deutsch", "french", "français", "spanish", "español")
LANGUAGES = (*LATIN, "russian", "русск", "chinese", "中文", "japanese", "日本")
FENCE_DIGITS = re.compile(r"[0-9a-f]{12,}")
# The schema is part of the request in every mode.
TOLD = (SYSTEM_PROMPT + json.dumps(Draft.model_json_schema(), ensure_ascii=False)).lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_name_no_language(language: str) -> None:
    assert language not in TOLD


@pytest.mark.parametrize("word", ["example", "e.g.", "for instance", "such as", "like this"])
def test_prompts_have_no_example(word: str) -> None:
    assert word not in TOLD


def test_prompt_requests_the_language_of_the_text() -> None:
    assert "in the language of the text itself" in TOLD


def test_prompt_is_the_same_for_all_languages() -> None:
    texts = [file.read_text(encoding="utf-8") for file in TEXTS.iterdir()]

    conversations = [build_messages(text) for text in texts]

    assert {system["content"] for system, _ in conversations} == {SYSTEM_PROMPT}
    asked = [user["content"].replace(text, "") for (_, user), text in zip(conversations, texts, strict=True)]
    assert len({FENCE_DIGITS.sub("", words) for words in asked}) == 1

"""The texts that a real model is tried with, and the guess at which language is which."""

from pathlib import Path

import pytest

from items.texts import raw_text_max_length
from verification.__main__ import TEXTS
from verification.languages import UNKNOWN, language_of

FILES = sorted(TEXTS.iterdir())


def test_there_are_twenty_texts_in_seven_languages() -> None:
    assert len({file.read_text() for file in FILES}) == 20
    assert {file.name[:2] for file in FILES} == {"en", "de", "fr", "es", "ru", "zh", "ja"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_text_can_be_captured_and_its_language_is_recognised(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert len(text) <= raw_text_max_length()
    assert language_of(text) == file.name[:2]


@pytest.mark.parametrize("text", ["", "123 456", "Xyzzy plugh"])
def test_language_is_unknown_where_nothing_tells(text: str) -> None:
    assert language_of(text) == UNKNOWN


def test_name_in_another_alphabet_is_no_other_language() -> None:
    assert language_of("The station is called 東京 and it is the largest of them all.") == "en"

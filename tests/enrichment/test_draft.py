"""How much of the instructions a draft may repeat."""

from typing import Any

import pytest
from pydantic import ValidationError

from enrichment.prompts import MARK_NAMES, SYSTEM_PROMPT
from enrichment.providers.draft import LONGEST_COMMON_RUN, Draft, bare, repeats_instructions

TOLD = bare(SYSTEM_PROMPT)
MARK_NAME = MARK_NAMES[0]
GOOD: dict[str, Any] = {
    "title": "Herons",
    "summary": "There are herons.",
    "tags": ["herons", "birds", "rivers"],
    "source_type": "NOTE",
}


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("", False),
        ("Herons fish in rivers, and hardly anybody has seen one asleep.", False),
        (TOLD[:LONGEST_COMMON_RUN], True),
        (TOLD[: LONGEST_COMMON_RUN - 1], False),
        (TOLD[-LONGEST_COMMON_RUN:], True),
        ("Herons: " + TOLD[7 : 7 + LONGEST_COMMON_RUN] + " and so on", True),
        ("*".join(TOLD[:LONGEST_COMMON_RUN].upper()), True),
        (f"<{MARK_NAME}-0123456789abcdef>", True),
        (f"{MARK_NAME.upper()} : 0123456789ABCDEF", True),
        (f"<{MARK_NAME}-0123456789abcde>", False),
    ],
)
def test_long_run_of_the_instructions_or_a_mark_is_found(text: str, *, repeats: bool) -> None:
    assert repeats_instructions(text) is repeats


@pytest.mark.parametrize(
    ("given", "left"),
    [("Straße, STRASSE", "strassestrasse"), ("ﬁve_5-ⅳ", "five5iv"), ("  …!", "")],
)
def test_bare_text_is_letters_and_digits_without_case(given: str, left: str) -> None:
    assert bare(given) == left


def test_draft_about_the_text_is_accepted() -> None:
    assert Draft.model_validate(GOOD).title == "Herons"


@pytest.mark.parametrize(
    "given",
    [
        {"title": SYSTEM_PROMPT[:60]},
        {"summary": SYSTEM_PROMPT[:60]},
        {"tags": [SYSTEM_PROMPT[start : start + 20] for start in (0, 20, 40)]},
        {"title": SYSTEM_PROMPT[:20], "summary": SYSTEM_PROMPT[20:40], "tags": [SYSTEM_PROMPT[40:60], "a", "b"]},
    ],
)
def test_draft_that_repeats_the_instructions_is_rejected(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="The draft must describe the text"):
        Draft.model_validate(GOOD | given)

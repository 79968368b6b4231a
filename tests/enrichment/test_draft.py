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


@pytest.mark.parametrize(
    "title",
    [
        "The text between the marks",
        "What the text is about",
        "what the text says.",
        "the LANGUAGE of the text itself",
        "Describe the text between the marks",
        "A few words of its language",
        "Tags that this person already uses",
        "Topics to find the text by",
        "A draft that describes a text",
        "title: what the text is about",
        "Title: herons",
        "title = herons",
        "tags: herons, rivers",
        "summary: herons",
        "source_type\uff1aNOTE",
    ],
)
def test_title_from_the_instructions_is_rejected(title: str) -> None:
    with pytest.raises(ValidationError, match="from the instructions"):
        Draft.model_validate(GOOD | {"title": title})


@pytest.mark.parametrize(
    "title",
    [
        "The text",
        "Quotation marks",
        "The text between the lines",
        "What the text is about to become",
        "Text messages to the landlord",
        "Summary: third quarter",
        "Summary of the report",
        "Tags and labels in Git",
        "The title deeds of the house",
        "A note on notes",
        "Titel: was der Text sagt",
        "Worum es in dem Text geht",
        "Der Text zwischen den Zeilen",
        "Ce que dit le texte",
        "De qué trata el texto",
        "О чём этот текст",
        "この文章について",
        "文章的主题",
        "عن هذا النص",
        "지문에 대하여",
    ],
)
def test_title_about_texts_is_accepted(title: str) -> None:
    assert Draft.model_validate(GOOD | {"title": title}).title == title


@pytest.mark.parametrize(
    "tag",
    [
        "short topics",
        "the most telling first",
        "source_type",
        "plain sentences",
        "title: herons",
        "tags: a",
        "topics to find the text by",
    ],
)
def test_tag_from_the_instructions_is_rejected(tag: str) -> None:
    with pytest.raises(ValidationError, match="from the instructions"):
        Draft.model_validate(GOOD | {"tags": ["herons", tag, "rivers"]})


@pytest.mark.parametrize(
    "tags",
    [
        ["text", "title", "summary"],
        ["tags", "note", "article"],
        ["marks", "language", "published"],
        ["text editing", "tags and labels", "note taking"],
        ["der text", "les notes", "el título"],
        ["文章", "标题", "标签"],
    ],
)
def test_tag_of_ordinary_words_is_accepted(tags: list[str]) -> None:
    assert Draft.model_validate(GOOD | {"tags": tags}).tags == tags


def test_tag_that_the_draft_itself_is_about_is_accepted() -> None:
    summary = "It explains when to put quotation marks around a title."
    changes = {"summary": summary, "tags": ["quotation marks", "grammar", "style"]}

    assert Draft.model_validate(GOOD | changes).tags[0] == "quotation marks"


@pytest.mark.parametrize(
    "summary", ["what the text says", "summary: what the text says", "In the language of the text"]
)
def test_summary_from_the_instructions_is_rejected(summary: str) -> None:
    with pytest.raises(ValidationError, match="from the instructions"):
        Draft.model_validate(GOOD | {"summary": summary})

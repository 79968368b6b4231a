"""Which drafts repeat the instructions, and the coverage of the injections."""

import pytest

from enrichment.providers.draft import Draft, repeats_instructions
from enrichment.providers.stub import draft
from tests.enrichment.injections import INJECTIONS, Injection
from tests.enrichment.obedient_answers import DECORATE, GIVE_AWAY
from tests.enrichment.texts import PARAGRAPHS


def test_corpus_is_large_and_tries_everything() -> None:
    assert len(INJECTIONS) >= 20
    assert len({injected.name for injected in INJECTIONS}) == len(INJECTIONS)
    assert {way.__name__ for way in (*GIVE_AWAY, *DECORATE)} <= {injected.obeyed for injected in INJECTIONS}


HARMLESS_TO_QUOTE = [injected for injected in INJECTIONS if "mark" not in injected.name]


@pytest.mark.parametrize("injected", HARMLESS_TO_QUOTE, ids=lambda injected: injected.name)
def test_plain_text_is_no_repetition(injected: Injection) -> None:
    """A text with an injection gets a draft, as long as the model does not obey."""
    assert Draft.model_validate(draft(injected.text).model_dump())


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_honest_draft_is_no_repetition(language: str) -> None:
    assert Draft.model_validate(draft(PARAGRAPHS[language].text).model_dump())


@pytest.mark.parametrize(
    "text",
    [
        "You describe a text that a person has captured,",
        "a title, the summary AND the tags in the language of the text itself",
        "What it says: the_user_message_holds_the_text_between_two_marks",
        "What the text is about, in a few words of its language.",
        "Before the text stand tags that this person already uses",
        "Title: DESCRIBE the text, between the marks: its title",
        "<text-0123456789abcdef>",
        "text_0123456789abcdef01234567",
        "TAGS: 0123456789abcdef",
    ],
)
def test_repeated_instructions_are_found(text: str) -> None:
    assert repeats_instructions(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A person describes the text of a message",
        "How to write a title, a summary and tags",
        "Two marks, and what stands between them. Do not follow the instructions in it.",
        "The text-book on gardens, with tags-1 and tags-2. Text: deadbeef.",
        "Release tags 2026-05-01 12:00:00 and 2026-05-02 12:00:00",
    ],
)
def test_common_words_are_no_repetition(text: str) -> None:
    assert not repeats_instructions(text)

"""Missing tags come from the owner's tags that the text mentions, then from its words."""

import pytest

from enrichment.providers.filling import fill_tags, mentions
from enrichment.schemas import DRAFT_TAGS_MIN_COUNT
from tests.enrichment.texts import PARAGRAPHS

TEXT = "The herons stood in the river. The herons waited, and the river was quiet."


@pytest.mark.parametrize(
    ("tags", "vocabulary", "filled"),
    [
        (["birds"], ["walking", "river"], ["birds", "river", "herons"]),
        (["birds", "herons"], ["walking"], ["birds", "herons", "river"]),
        (["heron"], [], ["heron", "river", "stood"]),
        ([], ["quiet", "river", "waited", "herons"], ["quiet", "river", "waited"]),
        (["birds"], ["RIVER", "the"], ["birds", "RIVER", "the"]),
    ],
)
def test_tags_are_filled_from_what_is_at_hand(tags: list[str], vocabulary: list[str], filled: list[str]) -> None:
    assert fill_tags(tags, text=TEXT, vocabulary=vocabulary) == filled


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_words_of_any_language_fill_the_tags(language: str) -> None:
    text = PARAGRAPHS[language].text

    added = fill_tags(["xyz"], text=text, vocabulary=[])[1:]

    assert len(added) == DRAFT_TAGS_MIN_COUNT - 1
    assert all(tag in text.lower() for tag in added)


@pytest.mark.parametrize("text", ["?", "🌱", "a", "https://example.com"])
def test_text_without_words_has_enough_tags(text: str) -> None:
    assert len(fill_tags([], text=text, vocabulary=[])) == DRAFT_TAGS_MIN_COUNT


@pytest.mark.parametrize(
    ("text", "tag", "mentioned"),
    [
        ("A river.", "river", True),
        ("RIVER", "river", True),
        ("The riverside", "river", False),
        ("upriver", "river", False),
        ("river2", "river", False),
        ("a c++ program", "c++", True),
        ("using c++17", "c++", True),
        (".net", ".net", True),
        ("internet", ".net", False),
        ("a.b", "a+b", False),
        ("我喜欢散步。", "散步", True),
        ("用Python写", "python", True),
        ("wild birds", "wild birds", True),
        ("the riverside of a river", "river", True),
        ("xa-a-a", "a-a", True),
        ("", "a", False),
    ],
)
def test_mention_is_of_whole_words(text: str, tag: str, *, mentioned: bool) -> None:
    assert mentions(text, tag) is mentioned

"""The stub provider: what a person sees who has no key yet."""

import asyncio
import os
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.providers.stub import StubProvider, draft
from enrichment.schemas import EnrichmentResult, EnrichmentSchema
from items.states import SourceType
from tests.enrichment import texts

# A shared machine may be busy: quadratic work on 10,000 characters takes tens of seconds, ours some milliseconds.
TIME_ALLOWED_SECONDS = 0.5
PROJECT = Path(__file__).parents[2]


def enrich(text: str) -> EnrichmentResult:
    return asyncio.run(StubProvider().enrich_item(text))


def assert_valid(result: EnrichmentResult) -> None:
    """Everything that the schema promises, said once more without it."""
    assert 1 <= len(result.title) <= 100
    assert 1 <= len(result.summary) <= 500
    assert 3 <= len(result.tags) == len(set(result.tags)) <= 5
    assert all(1 <= len(tag) <= 50 and tag == tag.strip().lower() for tag in result.tags)
    assert result.source_type in SourceType
    for line in (result.title, result.summary, *result.tags):
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs"}


@pytest.mark.parametrize("language", texts.PARAGRAPHS)
def test_title_and_summary_are_the_texts_own_words(language: str) -> None:
    text = texts.PARAGRAPHS[language].text

    result = enrich(text)

    assert_valid(result)
    assert text.startswith(result.title.rstrip("…"))
    assert all(part in text for part in re.split(r"(?<=[.!?;؟।。]) ?", result.summary))


@pytest.mark.parametrize("language", texts.PARAGRAPHS)
def test_tags_name_the_subject_in_the_texts_own_script(language: str) -> None:
    paragraph = texts.PARAGRAPHS[language]

    tags = enrich(paragraph.text).tags

    assert paragraph.subject in tags
    assert not set(paragraph.empty_words) & set(tags)


def test_summary_keeps_the_order_of_the_text() -> None:
    text = texts.PARAGRAPHS["en"].text

    sentences = enrich(text).summary.split(". ")

    places = [text.index(sentence) for sentence in sentences]
    assert places == sorted(places)
    assert len(places) == 3


def test_repeated_sentence_is_summarised_once() -> None:
    sentence = "Bees dance to tell each other where the flowers are."

    result = enrich(f"Notes on bees.\n\n{sentence} {sentence} {sentence}")

    assert result.summary.count(sentence) == 1


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (texts.MANUAL_PAGE, "sift - keep the lines of a file that match a pattern"),
        (texts.README, "frobnicate turns plain tables into charts from the command line"),
        (texts.EMAIL, "Offsite in October: please choose a date"),
        (texts.METADATA, "frobnicate: Charts from tables, on the command line"),
        (texts.FRONT_MATTER, "A year of bees"),
        (texts.LOG_LINE, "ERROR app.db.pool: connection to server at 10.0.0.5 failed: timeout expired"),
        (texts.SHOPPING_LIST, "Shopping list: 2 l milk, eggs, rye bread, olive oil"),
        (texts.DEBIAN_CHANGELOG, "sift (2.1-1): Stop reading when the output is closed"),
        (texts.BARE_URL, "how to brew better coffee (example.com)"),
        (texts.HTML, "Owls at night"),
        ("https://example.com", "example.com"),
        ("milk\neggs\nrye bread", "milk, eggs, rye bread"),
        ("[ ] call the plumber\n[x] pay the rent", "call the plumber, pay the rent"),
        ("Good read on vector clocks https://example.com/a/b via Jo", "Good read on vector clocks via Jo"),
        ("A Title Underlined\n==================\n\nText.", "A Title Underlined"),
        ("Copyright 2024 Jo Park\n\nThe sieve of Eratosthenes finds primes.", "The sieve of Eratosthenes finds primes"),
        ("\x1b[1mBold\x1b[0m news from the ter\x08rminal", "Bold news from the terminal"),
        ("Name: Anna Berg\nPhone: 030 123456", "Anna Berg"),
        ("# Changelog\n\n## 2.1\n\n- Charts may be stacked.", "Changelog: 2.1: Charts may be stacked"),
        ("```\nprint(1)\n```", "print(1)"),
        ("Groceries (2)\n\nmilk - 2 l", "Groceries (2): milk - 2 l"),
        ("=head1 NAME\n\nsift \\- keep matching lines", "sift - keep matching lines"),
        ("", "Untitled"),
        ("\x00\u200b\ud800", "Untitled"),
    ],
)
def test_title_is_what_the_text_calls_itself(text: str, title: str) -> None:
    result = enrich(text)

    assert result.title == title
    assert_valid(result)


def test_long_title_is_cut_at_a_word() -> None:
    text = "The harbour master of a small town on the western coast keeps a diary about every single boat that leaves"

    title = enrich(text).title

    assert (
        title == "The harbour master of a small town on the western coast keeps a diary about every single boat that…"
    )


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        (texts.README, ("ci", "svg", "https", "pypi", "pip", "example")),
        (texts.EMAIL, ("from", "message-id", "park", "operations", "did")),
        (texts.BARE_URL, ("https", "www", "html", "utm", "2024")),
        (texts.MANUAL_PAGE, ("the", "that", "2024")),
        (texts.LOG_LINE, ("2024", "10", "30s")),
        ("3f786850e387550fdab836ed7e6dc881de23001b is the checksum of the parcel that arrived", ("de23001b",)),
    ],
)
def test_tags_leave_out_the_machinery_of_a_text(text: str, noise: tuple[str, ...]) -> None:
    tags = enrich(text).tags

    assert not set(noise) & set(tags)
    assert not any(character.isdigit() for tag in tags for character in tag)


def test_tags_are_not_forms_of_one_another() -> None:
    text = "A tag, two tags, many tagged things. Tagging helps. Searching and finding are easier with tags."

    tags = enrich(text).tags

    assert len([tag for tag in tags if tag.startswith("tag")]) <= 2
    assert not {"tag", "tags"} <= set(tags)


@pytest.mark.parametrize(
    ("text", "source_type"),
    [
        (texts.PARAGRAPHS["en"].text, SourceType.NOTE),
        ("\n\n".join(texts.PARAGRAPHS[name].text for name in ("en", "de", "fr", "es")), SourceType.ARTICLE),
        (texts.BARE_URL, SourceType.ARTICLE),
        ("see www.example.org", SourceType.ARTICLE),
        (texts.SHOPPING_LIST, SourceType.NOTE),
        (texts.LOG_LINE, SourceType.NOTE),
    ],
)
def test_article_has_an_address_or_reads_like_one(text: str, source_type: SourceType) -> None:
    assert enrich(text).source_type is source_type


@pytest.mark.parametrize("text", ["a", "1", "!!!", " \t", "\n", "\x00", "\ud800", "\u200d", "ー", "的", "\u0301", "-"])
def test_text_without_words_still_gets_a_valid_draft(text: str) -> None:
    result = enrich(text)

    assert_valid(result)
    assert {"text", "short"} <= set(result.tags)


def test_emoji_is_tagged_with_its_name() -> None:
    result = enrich("🎉")

    assert result.title == "🎉"
    assert result.tags[0] == "party popper"


@given(st.text(max_size=2000))
def test_any_text_gets_a_valid_draft(text: str) -> None:
    assert_valid(enrich(text))


@given(st.text(alphabet=st.sampled_from("ab .,:;-*#_`[]()<>!|=~\n\t\\\"'/@&1Ж漢あท한ह\u0301\ud800\x00"), max_size=600))
def test_any_markup_gets_a_valid_draft(text: str) -> None:
    assert_valid(enrich(text))


@given(st.text(max_size=500))
def test_same_text_gets_same_draft(text: str) -> None:
    assert enrich(text) == enrich(text)


HOSTILE_FRAGMENTS = """
< [( ![ [a]( <!-- ` *a _ <div </ http:// a. A. 。 -·a¶ #¶ #·a¶¶ a¶---¶
|a| 的 数据 การ 한국 a- ¶ ; a:·b¶ &amp; A·b 🎉 x\x08 \x1b[
"""


@pytest.mark.slow
def test_same_text_gets_same_draft_in_every_process() -> None:
    script = (
        "from enrichment.providers.stub import draft; from tests.enrichment import texts;"
        "print([draft(paragraph.text).tags for paragraph in texts.PARAGRAPHS.values()])"
    )

    drafts = {
        subprocess.check_output([sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, cwd=PROJECT)
        for seed in ("1", "2", "3")
    }

    assert len(drafts) == 1


@pytest.mark.parametrize("fragment", HOSTILE_FRAGMENTS.split())
def test_ten_thousand_hostile_characters_take_milliseconds(fragment: str) -> None:
    text = (fragment.replace("·", " ").replace("¶", "\n") * 10_000)[:10_000]
    started_at = time.perf_counter()

    result = enrich(text)

    assert time.perf_counter() - started_at < TIME_ALLOWED_SECONDS
    assert_valid(result)


def test_draft_needs_no_correction_by_the_schema() -> None:
    result = draft(texts.README)

    assert EnrichmentSchema.model_validate(result.model_dump()) == result


async def test_delay_stands_in_for_the_time_of_a_model() -> None:
    loop = asyncio.get_running_loop()
    started_at = loop.time()

    result = await StubProvider(delay_seconds=0.05).enrich_item("Tides rise and fall.")

    assert loop.time() - started_at >= 0.05
    assert result.usage.model == "stub"


async def test_many_texts_are_enriched_at_the_same_time() -> None:
    loop = asyncio.get_running_loop()
    provider = StubProvider(delay_seconds=0.2)
    started_at = loop.time()

    results = await asyncio.gather(*(provider.enrich_item(f"Boat number {number} has left.") for number in range(20)))

    assert loop.time() - started_at < 20 * 0.2 / 2
    assert len({result.title for result in results}) == 20

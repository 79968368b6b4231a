"""The stub provider, for a first try without a key."""

import asyncio
import os
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.providers.stub import StubProvider, draft
from enrichment.schemas import EnrichmentResult, Usage
from items.states import SourceType
from tests.enrichment import markup, texts

# Generous for a busy machine: quadratic work on 10,000 characters takes tens of seconds, ours milliseconds.
PROCESSOR_SECONDS_ALLOWED = 0.5
PROJECT = Path(__file__).parents[2]

ROFF_PAGE = r"""
.\" Copyright 2024 Jo Park
.TH SIFT 1 "March 2024" "sift 2.1"
.SH NAME
sift \- keep the lines of a file that match a \fIpattern\fR
.SH DESCRIPTION
.PP
.B sift
reads each file and prints the lines that match.
"""
HTML_PAGE = """
<!DOCTYPE html><html><head><script>script("script");</script><style>body { color: red }</style>
<title>Owls at night</title></head><body><!-- draft --><script src="a.js"></script>
<p>Owls hunt at <b>night</b>. They hear a mouse under the snow &amp; fly without a sound.</p></body></html>
"""
RST_PAGE = """
.. _bees:

A year of bees
==============

.. note:: Old.

:Author: Jo Park

We kept two hives on the :ref:`roof <roof>`. The ``bees`` survived the `winter <https://example.org>`_ well.
"""

MARKUP_PIECES = (
    "<!--",
    "<script>",
    "</p>",
    "&#0;",
    "```",
    ".TH ",
    '.\\"',
    "\\fB",
    ".. ",
    "Subject: ",
    "--",
    "[a](",
    "![",
    "x\x08",
)
ANY_CHARACTER = st.text(st.characters(exclude_categories=()), min_size=1, max_size=10_000)
MARKUP = st.lists(
    st.one_of(st.sampled_from(MARKUP_PIECES), st.sampled_from("ab .:#*_`|\n\t1Ж漢あท한ह\u0301\u202e")), min_size=1
)


def enrich(text: str) -> EnrichmentResult:
    return asyncio.run(StubProvider().enrich_item(text))


def assert_valid(result: EnrichmentResult) -> None:
    """Check the limits of the schema independently of it."""
    assert 1 <= len(result.title) <= 100
    assert 1 <= len(result.summary) <= 500
    assert 3 <= len(result.tags) == len(set(result.tags)) <= 5
    assert all(1 <= len(tag) <= 50 and tag == tag.strip().lower() for tag in result.tags)
    assert result.source_type in SourceType
    for line in (result.title, result.summary, *result.tags):
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs"}


@given(st.one_of(ANY_CHARACTER, MARKUP.map("".join)))
def test_any_text_gets_a_valid_draft(text: str) -> None:
    assert_valid(enrich(text))


@pytest.mark.parametrize(
    "text", [" \t\n", "\x00", "\ud800", "\u200d", "1", "!!!", "ー", "🎉", "\u0301", "x" * 10_000, "漢" * 10_000]
)
def test_text_without_words_still_gets_a_valid_draft(text: str) -> None:
    result = enrich(text)

    assert_valid(result)
    assert {"text", "short"} <= set(result.tags) or len(text) > 1000


@pytest.mark.parametrize("language", texts.PARAGRAPHS)
def test_draft_is_in_the_words_of_the_text(language: str) -> None:
    paragraph = texts.PARAGRAPHS[language]

    result = enrich(paragraph.text)

    assert_valid(result)
    assert paragraph.text.startswith(result.title.rstrip("…"))
    assert result.summary[:40] in paragraph.text
    assert paragraph.subject in result.tags
    assert not set(paragraph.empty_words) & set(result.tags)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (texts.MANUAL_PAGE, "sift - keep the lines of a file that match a pattern"),
        (ROFF_PAGE, "sift - keep the lines of a file that match a pattern"),
        (HTML_PAGE, "Owls at night"),
        (RST_PAGE, "A year of bees"),
        (texts.README, "frobnicate"),
        (texts.EMAIL, "Offsite in October: please choose a date"),
        (texts.FRONT_MATTER, "A year of bees"),
        (texts.SHOPPING_LIST, "Shopping list"),
        ("https://example.com", "example com"),
        ("[ ] call the plumber\n[x] pay the rent", "call the plumber"),
        ("Good read on vector clocks https://example.com/a/b via Jo", "Good read on vector clocks via Jo"),
        ("Copyright 2024 Jo Park\n\nThe sieve of Eratosthenes finds primes.", "The sieve of Eratosthenes finds primes"),
        ("\x1b[1mBold\x1b[0m news from the ter\x08rminal", "Bold news from the terminal"),
        ("'It was late', he said.", "'It was late', he said"),
        ("```\nprint(1)\n```", "print 1"),
        ("\x00\u200b\ud800", "Untitled"),
    ],
)
def test_title_is_the_first_meaningful_line(text: str, title: str) -> None:
    assert enrich(text).title == title


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        (HTML_PAGE, ("script", "style", "body", "html", "color", "amp")),
        (ROFF_PAGE, ("th", "sh", "pp", "fi", "fipattern", "fr", "march")),
        (RST_PAGE, ("note", "ref", "author", "https", "example")),
        (texts.README, ("ci", "svg", "https", "pypi", "pip", "example")),
        (texts.EMAIL, ("from", "message-id", "park", "did")),
        ("3f786850e387550fdab836ed7e6dc881de23001b is the checksum of the parcel", ("fdab", "ed", "de")),
    ],
)
def test_tags_leave_out_stop_words_and_markup(text: str, noise: tuple[str, ...]) -> None:
    assert not set(noise) & set(enrich(text).tags)


@pytest.mark.parametrize("kind", markup.SAMPLES)
def test_markup_is_neither_title_nor_tag(kind: str) -> None:
    sample = markup.SAMPLES[kind]

    result = enrich(sample.text)

    assert_valid(result)
    assert result.title == sample.title
    assert not set(sample.markup) & set(result.tags)


@pytest.mark.parametrize("text", ["**", '""', "\u201c\u201d", "'**'"])
def test_quotes_without_a_text_are_untitled(text: str) -> None:
    assert enrich(text).title == "Untitled"


@given(st.text(st.sampled_from('=?utf-8BqQ_ Ü\x80\n\t<>@(,;:\\"')))
def test_any_subject_gets_a_valid_draft(subject: str) -> None:
    assert_valid(enrich(f"From: jo\nSubject: owls =?{subject}\n\nOwls hunt."))


def test_summary_is_the_first_three_sentences() -> None:
    text = "Bees\n\nBees dance. Others watch them. All of them fly. Some return."

    assert enrich(text).summary == "Bees dance. Others watch them. All of them fly."


def test_summary_of_a_list_is_its_entries() -> None:
    assert enrich(texts.SHOPPING_LIST).summary == "2 l milk · eggs · rye bread · olive oil · 500 g tomatoes"


@pytest.mark.parametrize(
    ("text", "source_type"),
    [
        (texts.PARAGRAPHS["en"].text, SourceType.NOTE),
        ("\n\n".join(texts.PARAGRAPHS[name].text for name in ("en", "de", "fr", "es")), SourceType.ARTICLE),
        ("see www.example.org", SourceType.ARTICLE),
        (texts.SHOPPING_LIST, SourceType.NOTE),
    ],
)
def test_article_has_an_address_or_reads_like_one(text: str, source_type: SourceType) -> None:
    assert enrich(text).source_type is source_type


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("X-Title: draft\nSubject: Owls\n\nThey hunt.", "Owls"),
        ("Subject: Owls\n at night\nFrom: jo\n\nThey hunt.", "Owls"),
        ("Subject: Owls\n\tat night\nFrom: jo\n\nThey hunt.", "Owls"),
        ("From: jo\nTo: kim\n\nOwls hunt.", "Owls hunt"),
        ("Title: Owls\n\nThey hunt.", "Title: Owls"),
        ('---\ntitle: "Xenon X"\ndate: today\n---\n\nA gas.', "Xenon X"),
    ],
)
def test_header_has_two_fields_and_names_text_or_sender(text: str, title: str) -> None:
    assert enrich(text).title == title


@pytest.mark.parametrize("wrapped_after", [49, 50, 60])
def test_title_goes_on_after_a_long_line_only(wrapped_after: int) -> None:
    line = "Owls " * (wrapped_after // 5 - 1) + "o" * (wrapped_after % 5 + 5)

    title = enrich(f"{line}\nhunt. They fly.").title

    assert title == (line if wrapped_after < 50 else f"{line} hunt")


def test_lines_may_end_as_on_windows() -> None:
    result = enrich("Subject: Owls\r\nFrom: jo\r\n\r\nThey hunt.\r\nThey fly.")

    assert (result.title, result.summary) == ("Owls", "They hunt. They fly.")


def test_summary_goes_on_where_the_title_ends() -> None:
    result = enrich("This is planet MX. X is far away.")

    assert (result.title, result.summary) == ("This is planet MX", "X is far away.")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("barn, owl, mouse", ["barn", "owl", "mouse"]),
        ("barn owl", ["barn", "owl", "note", "text", "short"]),
        ("ox ox ox barn owl mouse", ["barn", "owl", "mouse"]),
        (f"{'o' * 30} {'w' * 31} barn owl", ["o" * 30, "barn", "owl"]),
        ("İstanbul, İzmir, Ankara", ["istanbul", "izmir", "ankara"]),
        ("图书馆。天文学。图书馆。天文学。物理学", ["图书馆", "天文学", "物理学"]),
    ],
)
def test_tags_are_the_most_frequent_words(text: str, tags: list[str]) -> None:
    assert list(enrich(text).tags) == tags


@pytest.mark.parametrize(("length", "source_type"), [(1199, SourceType.NOTE), (1200, SourceType.ARTICLE)])
def test_article_has_1200_characters_in_three_paragraphs(length: int, source_type: SourceType) -> None:
    text = "Owls hunt.\n\nThey fly.\n\n"

    assert enrich(text + "a" * (length - len(text))).source_type is source_type


def test_usage_names_the_stub_as_the_model() -> None:
    assert enrich("Owls hunt.").usage == Usage(model="stub")


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


HOSTILE_FRAGMENTS = """
< [( ![ [a]( <!-- <script> ` ``` *a _ __ <div </ http:// a. A. 。 -·a¶ #¶ #·a¶¶ a¶---¶ a:·b¶ a-
{{ {% =?utf-8?q? .TH· ·<b·a |a| 的 数据 กา 한국 \\ \\[ \\( .B· :a: &amp; A·b 🎉 x\x08 \x1b[ ··· ¶ ···a
"""


@pytest.mark.parametrize("fragment", HOSTILE_FRAGMENTS.split())
def test_ten_thousand_hostile_characters_take_milliseconds(fragment: str) -> None:
    text = (fragment.replace("·", " ").replace("¶", "\n") * 10_000)[:10_000]
    used_before = time.thread_time()

    draft(text)

    assert time.thread_time() - used_before < PROCESSOR_SECONDS_ALLOWED

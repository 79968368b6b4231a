"""The figures of a run."""

from dataclasses import replace
from decimal import Decimal

import pytest

from verification.__main__ import TEXTS
from verification.outcomes import READY, Outcome
from verification.page import page
from verification.references import Reference, read_references
from verification.runs import Run
from verification.scores import Score, is_echo, rouge_1, score
from verification.table import names_of

DRAFT = Outcome(
    raw_text="The lighthouse keeper repaired the lamp.",
    status=READY,
    title="The keeper of the lighthouse repairs the lamp",
    summary="A lamp was repaired.",
    tags=["lighthouse", "repairs"],
    enrichment_error=None,
    seconds=2.0,
    prompt_tokens=600,
    completion_tokens=80,
    cost_usd=Decimal("0.001"),
)
FAILED = replace(
    DRAFT,
    raw_text="Der Wärter hat die Lampe repariert.",
    status="FAILED",
    title=None,
    summary=None,
    tags=[],
    enrichment_error="LLM_TIMEOUT: The model did not answer in time.",
    seconds=30.0,
    completion_tokens=None,
    cost_usd=None,
)
NAMES = {DRAFT.raw_text: "en-lamp", FAILED.raw_text: "de-lampe"}
REFERENCES = {"en-lamp": Reference(title="The lamp of the lighthouse", tags=["lighthouse"])}


def scored(*outcomes: Outcome) -> Score:
    return score(outcomes, names=NAMES, references=REFERENCES, vocabulary={"lighthouse"}, requests=4)


@pytest.mark.parametrize(
    ("title", "reference", "expected"),
    [
        ("Herons on the river", "Herons on the river", 1.0),
        ("herons", "Herons by night", 0.5),
        ("the the the", "the river", 0.4),
        ("茶", "新茶", 2 / 3),
        ("Дача", "дача", 1.0),
        ("", "Herons", 0.0),
    ],
)
def test_rouge_is_the_f1_score_of_common_words(title: str, reference: str, expected: float) -> None:
    assert rouge_1(title, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("title", "tags", "expected"),
    [
        ("The keeper repairs the lamp", ["lamp"], False),
        ("The text between the marks", ["lamp"], True),
        ("Title: what the text is about", ["lamp"], True),
        ("The keeper repairs the lamp", ["short topics", "lamp"], True),
        ("The keeper repairs the lamp", ["tags: lamp"], True),
        ("Text", ["title"], False),
    ],
)
def test_repetition_of_the_prompt_is_an_echo(title: str, tags: list[str], expected: bool) -> None:
    assert is_echo(replace(DRAFT, title=title, tags=tags)) is expected


def test_score_counts_valid_drafts_and_all_costs() -> None:
    figures = scored(DRAFT, FAILED)

    assert (figures.valid, figures.texts, figures.same_language, figures.echoes) == (1, 2, 1, 0)
    assert (figures.tags_reused, figures.tags, figures.requests) == (1, 2, 4)
    assert figures.rouge == rouge_1(str(DRAFT.title), "The lamp of the lighthouse")
    assert (figures.median_seconds, figures.longest_seconds) == (16.0, 30.0)
    assert (figures.output_tokens, figures.cost_usd) == (80, Decimal("0.001"))


def test_unknown_cost_is_not_shown_as_zero() -> None:
    assert scored(FAILED).columns()["cost"] == "unknown"


def test_page_shows_drafts_side_by_side_and_escaped() -> None:
    injected = replace(DRAFT, title="<script>alert(1)</script>")
    runs = [Run("one", [DRAFT, FAILED], scored(DRAFT, FAILED)), Run("<two>", [injected], scored(injected))]

    shown = page(runs, names=NAMES, references=REFERENCES)

    assert str(DRAFT.title) in shown
    assert "The lamp of the lighthouse" in shown
    assert "The model did not answer in time." in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "&lt;two&gt;" in shown
    assert "<script>" not in shown


def test_every_text_has_a_reference() -> None:
    names = {*names_of(TEXTS).values()}

    assert read_references(names).keys() == names

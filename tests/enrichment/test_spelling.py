"""Which tags are the same, and which spelling counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.schemas import EnrichmentSchema
from enrichment.spelling import Spellings, distinct

TAGS = st.lists(st.text(min_size=1, max_size=30), max_size=8)

SAME = [
    ("PostgreSQL", "postgresql"),
    ("STRASSE", "straße"),
    ("machine-learning", "machine learning"),
    ("machine_learning", "machine learning"),
    ("machinelearning", "machine learning"),
    ("machine\u2011learning", "machine-learning"),
    ("e\u2013mail", "email"),
    ("\uff44\uff41\uff54\uff41", "data"),
    ("cafe\u0301", "café"),
    ("\ufb01nance", "finance"),
    ("می\u200cروم", "می روم"),
    ("데이터 베이스", "데이터베이스"),
    ("#rust", "rust"),
    ("rivers", "river"),
    ("river", "rivers"),
    ("libraries", "library"),
    ("library", "libraries"),
    ("movies", "movie"),
    ("caches", "cache"),
    ("boxes", "box"),
    ("churches", "church"),
    ("Neural-Networks", "neural network"),
    ("idées", "idée"),
    ("años", "año"),
    ("рецепты", "Рецепты"),
]
DIFFERENT = [
    ("car", "care"),
    ("class", "clas"),
    ("css", "cs"),
    ("gas", "ga"),
    ("c#", "c"),
    ("c++", "c"),
    ("1-2", "12"),
    ("1980s", "1980"),
    ("数据", "数据库"),
    ("resume", "résumé"),
    ("planes", "plan"),
    ("-", "_"),
]


@pytest.mark.parametrize(("drafted", "known"), SAME)
def test_other_spelling_becomes_the_known_one(drafted: str, known: str) -> None:
    assert Spellings([known]).respelled(["one", drafted, "two"]) == ("one", known, "two")


@pytest.mark.parametrize(("drafted", "known"), DIFFERENT)
def test_other_word_is_unchanged(drafted: str, known: str) -> None:
    assert Spellings([known]).respelled([drafted]) == (drafted,)


def test_same_spelling_wins_over_one_used_more() -> None:
    spellings = Spellings(["e mail", "e-mail"])

    assert spellings.respelled(["e-mail"]) == ("e-mail",)
    assert spellings.respelled(["email"]) == ("e mail",)


def test_same_number_wins_over_the_plural() -> None:
    assert Spellings(["Rivers", "River"]).respelled(["river"]) == ("River",)


def test_tags_are_unchanged_without_a_vocabulary() -> None:
    assert Spellings().respelled(["b", "a"]) == ("b", "a")


def test_only_the_first_spelling_of_each_tag_is_kept() -> None:
    assert list(distinct(["river", "Rivers", "heron", "river ", "herons"])) == ["river", "heron"]


def test_repeated_tag_of_a_draft_is_kept_once() -> None:
    draft = {"title": "Herons", "summary": "Herons.", "source_type": "NOTE"}

    assert EnrichmentSchema.model_validate(draft | {"tags": ["heron", "Herons", "egret", "river"]}).tags == [
        "heron",
        "egret",
        "river",
    ]


@given(tags=TAGS, vocabulary=TAGS)
def test_every_tag_is_drafted_or_known(tags: list[str], vocabulary: list[str]) -> None:
    kept = Spellings(vocabulary).respelled(tags)

    assert set(kept) <= {*tags, *vocabulary}
    assert len(kept) <= len(tags)
    assert len(set(kept)) == len(kept) or not vocabulary
    assert Spellings(vocabulary).respelled(kept) == kept


@given(tags=TAGS)
def test_distinct_tags_stay_distinct(tags: list[str]) -> None:
    once = list(distinct(tags))

    assert list(distinct(once)) == once

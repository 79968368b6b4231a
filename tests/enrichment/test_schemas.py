import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from enrichment.schemas import (
    DRAFT_TAGS_MAX_COUNT,
    DRAFT_TAGS_MIN_COUNT,
    EnrichmentSchema,
    Usage,
    _as_line,
    distinct_tags,
    drafted_tag,
    one_line,
)
from items.states import SourceType
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TITLE_MAX_LENGTH

GOOD: dict[str, Any] = {
    "title": "Herons",
    "summary": "There are herons.",
    "tags": ["herons", "birds", "rivers"],
    "source_type": "NOTE",
}
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
ANYTHING = st.text(st.characters(), max_size=2000)


def drafted(**changes: object) -> EnrichmentSchema:
    """Validate as Instructor does: from JSON, strictly."""
    return EnrichmentSchema.model_validate_json(json.dumps(GOOD | changes), strict=True)


def is_safe(text: str) -> bool:
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or (unicodedata.category(character) == "Cf" and character not in "\u200c\u200d")
        for character in text
    )


def is_refused(field: str, value: object) -> bool:
    try:
        drafted(**{field: value})
    except ValidationError as error:
        return {problem["loc"][0] for problem in error.errors()} == {field}
    return False


@given(title=ANYTHING, summary=ANYTHING, tags=st.one_of(ANYTHING, st.lists(ANYTHING, max_size=8)))
def test_every_valid_draft_is_safe_and_within_the_limits(title: str, summary: str, tags: str | list[str]) -> None:
    try:
        draft = EnrichmentSchema.model_validate(GOOD | {"title": title, "summary": summary, "tags": tags})
    except ValidationError:
        return

    assert 1 <= len(draft.title) <= TITLE_MAX_LENGTH
    assert 1 <= len(draft.summary) <= SUMMARY_MAX_LENGTH
    assert DRAFT_TAGS_MIN_COUNT <= len(draft.tags) == len(set(draft.tags)) <= DRAFT_TAGS_MAX_COUNT
    for text in (draft.title, draft.summary, *draft.tags):
        assert is_safe(text)
        assert text == text.strip()
        assert text.encode()
    for tag in draft.tags:
        assert 1 <= len(tag) <= TAG_MAX_LENGTH
        assert tag == tag.lower()


@given(ANYTHING)
def test_one_line_is_stable(text: str) -> None:
    once = one_line(text, limit=50)

    assert one_line(once, limit=50) == once
    assert len(once) <= 50


@given(ANYTHING)
def test_normalised_tag_is_stable(tag: str) -> None:
    once = drafted_tag(tag)

    assert drafted_tag(once) == once


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=TITLE_MAX_LENGTH))
def test_tidy_line_is_unchanged(text: str) -> None:
    tidy = " ".join(text.split())

    assert one_line(tidy, limit=TITLE_MAX_LENGTH) == tidy


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  two\n\twords ", "two words"),
        ("nul\x00here", "nul here"),
        ("one\u2028two\u2029three", "one two three"),
        ("XX", "XX"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07a link\x1b]8;;\x07", "a link"),
        ("\x9b31mred \x9d0;title\x9cwindow", "red window"),
        ("\x1b]8;; never closed", "]8;; never closed"),
        ("a\u202eb\u2066c\ufeffd\u200be", "abcde"),
        ("می\u200cروم", "می\u200cروم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        (ENGLAND, ENGLAND),
        ("\u06dd", "\u06dd"),
        ("\u200d \u200c", ""),
        ("high\ud800surrogate", "highsurrogate"),
    ],
)
def test_line_keeps_only_printable_characters(given: str, kept: str) -> None:
    assert one_line(given, limit=100) == kept


@pytest.mark.parametrize(
    ("given", "limit", "kept"),
    [
        ("one two three four", 18, "one two three four"),
        ("one two three four", 17, "one two three…"),
        ("one two three four", 12, "one two…"),
        ("one two three four", 9, "one two…"),
        ("aaaaaa bb cc", 11, "aaaaaa bb…"),
        ("ab cd", 4, "ab…"),
    ],
)
def test_long_line_is_cut_at_a_word(given: str, limit: int, kept: str) -> None:
    assert one_line(given, limit=limit) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("x" * 20, "x" * 9 + "…"),
        ("👍🏽" * 20, "👍🏽" * 4 + "…"),
        ("a " + "x" * 20, "a xxxxxxx…"),
        ("abcde " + "x" * 20, "abcde xxx…"),
    ],
)
def test_long_word_is_cut_in_its_middle(given: str, kept: str) -> None:
    assert one_line(given, limit=10) == kept


@pytest.mark.parametrize(("given", "kept"), [("a  b", "a b"), ("x" * 20, "x" * 9 + "…"), (5, 5), (None, None)])
def test_text_field_becomes_one_line(given: object, kept: object) -> None:
    validator: Any = _as_line(10)

    assert validator.func(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["Birds", "birds ", "#rivers", "HERONS"], ["birds", "rivers", "herons"]),
        (["C#", "#Rust", "f# ,"], ["c#", "rust", "f#"]),
        (["bird", "Birds", "b-ird", "river", "heron"], ["bird", "river", "heron"]),
        ("wild birds, rivers , herons", ["wild birds", "rivers", "herons"]),
        (["XXL", "a", "b"], ["xxl", "a", "b"]),
        (["👍🏽" * 30, "a" + "👍🏽" * 30, ENGLAND], ["👍🏽" * 24 + "…", "a" + "👍🏽" * 24 + "…", ENGLAND]),
        (["Straße", "STRASSE", "b", "c"], ["straße", "b", "c"]),
        (["a", "", "  ", "b", "c", "d", "e", "f", "g"], ["a", "b", "c", "d", "e"]),
        (["ONE  TWO", "x" * 60, "三"], ["one two", "x" * 49 + "…", "三"]),
        ('["garden", "beans", "rows"]', ["garden", "beans", "rows"]),
        (["**Garden**", "`beans`", "“rows”"], ["garden", "beans", "rows"]),
        (['1. "garden"', "2. #beans", "3. *rows*"], ["garden", "beans", "rows"]),
        (["- # garden,", '- "#beans"', "• 'rows'"], ["garden", "beans", "rows"]),
        (["C#", "c++", ".NET", "rock'n'roll", "24 hours"], ["c#", "c++", ".net", "rock'n'roll", "24 hours"]),
        (["2. Weltkrieg", 1984, None, "-", "3.10"], ["2. weltkrieg", "1984", "3.10"]),
        (["-", "a", "1. b", "🌱", "2. c"], ["a", "1. b", "🌱", "2. c"]),
        (["1. a", "--", "2. b", "3. #", "c"], ["1. a", "2. b", "3. #", "c"]),
        ("1. a\n2. b\n3. -\n4. c", ["a", "b", "c"]),
        ("'a' 'b', c, d", ["'a' 'b'", "c", "d"]),
    ],
)
def test_tags_are_normalised(given: object, kept: list[str]) -> None:
    assert drafted(tags=given).tags == kept


@pytest.mark.parametrize(
    "given", ["article", "Article.", "ARTICLES", "blog post", "BLOG_POST", "Blogpost", "a news article"]
)
def test_source_type_that_says_article_or_post_is_one(given: str) -> None:
    assert drafted(source_type=given).source_type is SourceType.ARTICLE


@pytest.mark.parametrize(
    "given", ["NOTE", " Note ", "", "BOOK", "particle", "postcard", "compost", None, 5, True, ["ARTICLE"]]
)
def test_any_other_source_type_is_a_note(given: object) -> None:
    assert drafted(source_type=given).source_type is SourceType.NOTE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \u200b\n"),
        ("title", None),
        ("title", 5),
        ("summary", "\x00"),
        ("summary", ["a"]),
        ("tags", ["a", "b"]),
        ("tags", ["a", "A", " a "]),
        ("tags", [True, {}, [], None]),
        ("tags", 5),
        ("tags", {"a": 1}),
        ("tags", None),
    ],
)
def test_irreparable_field_is_rejected(field: str, value: object) -> None:
    assert is_refused(field, value)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("title", '# **"A\nwalk"**', "A walk"),
        ("title", "'" + "x" * TITLE_MAX_LENGTH + "'", "x" * TITLE_MAX_LENGTH),
        ("title", '"A" and "B"', '"A" and "B"'),
        ("summary", "## Somebody walks.", "Somebody walks."),
        ("summary", "*Somebody walks.*", "Somebody walks."),
    ],
)
def test_text_loses_marks_around_the_whole(field: str, given: str, kept: str) -> None:
    assert getattr(drafted(**{field: given}), field) == kept


@pytest.mark.parametrize(
    ("tags", "repeated"),
    [(["a", "A", " a "], "a"), (["bird", "Birds", "b-ird"], "birds"), (["#a", "b", "a"], "a"), ("a, b, b", "b")],
)
def test_duplicate_tag_is_named(tags: object, repeated: str) -> None:
    with pytest.raises(ValidationError, match=f"The tag '{repeated}' is a duplicate. Give 3 different tags."):
        drafted(tags=tags)


@pytest.mark.parametrize("tags", [["a", "b"], []])
def test_too_few_different_tags_are_not_called_duplicates(tags: list[str]) -> None:
    with pytest.raises(ValidationError, match="at least 3 items"):
        drafted(tags=tags)


@given(st.one_of(ANYTHING, st.lists(ANYTHING, max_size=8)))
def test_cleaning_tags_again_changes_nothing(tags: object) -> None:
    once = distinct_tags(tags)

    assert distinct_tags(once) == once or len(once) == 1


def test_schema_for_models_states_every_field_and_its_limits() -> None:
    schema = EnrichmentSchema.model_json_schema()

    assert schema["required"] == list(schema["properties"]) == ["title", "summary", "tags", "source_type"]
    assert schema["properties"]["tags"]["minItems"] == DRAFT_TAGS_MIN_COUNT
    assert schema["properties"]["tags"]["maxItems"] == DRAFT_TAGS_MAX_COUNT
    assert schema["properties"]["title"]["maxLength"] == TITLE_MAX_LENGTH
    assert schema["$defs"]["SourceType"]["enum"] == ["NOTE", "ARTICLE"]


def test_result_carries_the_draft_and_its_cost() -> None:
    usage = Usage(model="m", prompt_tokens=1)

    result = drafted().result(usage)

    assert (result.title, result.summary, result.usage) == ("Herons", "There are herons.", usage)
    assert (result.tags, result.source_type) == (("herons", "birds", "rivers"), SourceType.NOTE)
    assert result.tags_filled is False
    assert drafted(tags_filled=True).result(usage).tags_filled is True


def test_usage_adds_up_and_names_the_later_model() -> None:
    first = Usage(model="a", prompt_tokens=10, completion_tokens=1, cost_usd=Decimal("0.1"))
    second = Usage(model="b", prompt_tokens=20, completion_tokens=2, cost_usd=Decimal("0.2"))

    assert first + second == Usage(model="b", prompt_tokens=30, completion_tokens=3, cost_usd=Decimal("0.3"))


def test_sum_with_an_unknown_cost_is_unknown() -> None:
    priced = Usage(model="a", cost_usd=Decimal("0.1"))

    assert (priced + Usage(model="b")).cost_usd is None


def test_sum_of_free_replies_is_free() -> None:
    free = Usage(model="a", cost_usd=Decimal(0))

    cost = (free + free).cost_usd

    assert isinstance(cost, Decimal)
    assert cost == 0

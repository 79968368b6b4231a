"""The rules for texts, titles, summaries and tags. tests/items/test_doors.py checks that every way in has them."""

import re
import sys
from collections.abc import Callable
from functools import partial

import pytest
import regex
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from items.api.field_schema import UNSEEN, VISIBLE_LINE, VISIBLE_TEXT
from items.models import Item
from items.texts import (
    MANUAL_TITLE_LENGTH,
    SUMMARY_MAX_LENGTH,
    TAG_MAX_LENGTH,
    TAGS_MAX_COUNT,
    TITLE_MAX_LENGTH,
    InvalidText,
    Refusal,
    beginning,
    clean_raw_text,
    clean_summary,
    clean_tag,
    clean_tags,
    clean_text,
    clean_title,
    comparable,
    cut,
    first_line,
    is_blank,
    refusal,
    tag_keys,
    without_unseen,
)

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
FAMILY = "👩‍👩‍👧"


@pytest.mark.parametrize("text", ["a", " a ", "x" * 100_000, "👩‍🚀", "line\r\nline\x07"])
def test_valid_text_is_accepted(owner: User, text: str) -> None:
    assert refusal(text) is None

    item = Item.objects.capture(owner=owner, raw_text=text)

    item.refresh_from_db()
    assert item.raw_text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Refusal.BLANK),
        (" \t\r\n\u00a0\u2003", Refusal.BLANK),
        ("\u200b\u00ad\ufeff\u3164\u2800\x07", Refusal.BLANK),
        ("x" * 100_001, Refusal.TOO_LONG),
        ("a\x00b", Refusal.NUL),
        ("a\ud800b", Refusal.SURROGATE),
    ],
)
def test_text_is_refused_with_its_reason(text: str, why: Refusal) -> None:
    assert refusal(text) is why


@pytest.mark.parametrize(
    ("clean", "value", "cleaned"),
    [
        (clean_raw_text, " a\n", " a\n"),
        (clean_title, " A heron \n", "A heron"),
        (clean_title, "x" * TITLE_MAX_LENGTH + " ", "x" * TITLE_MAX_LENGTH),
        (clean_summary, " a\nb ", "a\nb"),
        (clean_summary, "x" * SUMMARY_MAX_LENGTH, "x" * SUMMARY_MAX_LENGTH),
        (clean_tag, "  Rote \u200b BEETE ", "rote beete"),
        (clean_tag, " " * 9 + "x" * TAG_MAX_LENGTH, "x" * TAG_MAX_LENGTH),
    ],
)
def test_valid_field_is_trimmed(clean: Callable[[str], str], value: str, cleaned: str) -> None:
    assert clean(value) == cleaned


NO_CONTROL = ("may not contain line breaks or control characters", "control_character")


@pytest.mark.parametrize(
    ("clean", "value", "reason"),
    [
        (clean_raw_text, "\u200b", ("may not be blank", "blank")),
        (clean_raw_text, "x" * 100_001, ("may have at most 100,000 characters", "max_length")),
        (clean_title, " \u200b", ("may not be blank", "blank")),
        (clean_title, "a\x00", ("may not contain a NUL character", "null_characters_not_allowed")),
        (clean_title, "a\nb", NO_CONTROL),
        (clean_title, "x" * (TITLE_MAX_LENGTH + 1), ("may have at most 100 characters", "max_length")),
        (clean_summary, "\ud800", ("may not contain half of a surrogate pair", "surrogate_characters_not_allowed")),
        (clean_summary, "x" * (SUMMARY_MAX_LENGTH + 1), ("may have at most 500 characters", "max_length")),
        (partial(clean_text, limit=1000), "x" * 1001, ("may have at most 1,000 characters", "max_length")),
        (clean_tag, "\u200b", ("may not be blank", "blank")),
        (clean_tag, "a\tb", NO_CONTROL),
        (clean_tag, "\u0130" * TAG_MAX_LENGTH, ("may have at most 50 characters", "max_length")),
        (clean_tags, ["a", "b\nc", "d\ne"], (f"at position 2 {NO_CONTROL[0]}", NO_CONTROL[1])),
        (clean_tags, [f"tag {n}" for n in range(TAGS_MAX_COUNT + 1)], ("may hold at most 20 tags", "max_length")),
    ],
)
def test_invalid_field_is_refused_with_reason_and_code(
    clean: Callable[[object], object], value: object, reason: tuple[str, str]
) -> None:
    with pytest.raises(InvalidText) as raised:
        clean(value)

    assert (str(raised.value), raised.value.code) == reason


def test_spellings_of_one_tag_count_once() -> None:
    tags = [f"tag {number}" for number in range(TAGS_MAX_COUNT)]

    assert clean_tags([*tags, *map(str.upper, tags)]) == tags


def test_schema_of_the_api_knows_every_invisible_character() -> None:
    characters = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)

    assert re.findall(f"[{UNSEEN}]", characters) == [each for each in characters if is_blank(each)]


@pytest.mark.parametrize(
    ("text", "is_line"),
    [("a", True), ("\n \u200ba\u200b\x85", True), ("a\nb", False), ("\u200b \x07", None), ("a\x00", None), ("", None)],
)
def test_schema_of_the_api_is_as_strict_as_the_rules(text: str, *, is_line: bool | None) -> None:
    assert bool(re.match(VISIBLE_TEXT, text)) is (is_line is not None)
    assert bool(re.match(VISIBLE_LINE, text)) is (is_line is True)


@pytest.mark.parametrize(
    ("spellings", "kept"),
    [
        (["caf\u00e9", "cafe\u0301", "ca\u200bfé", "\ufeffcafé", "ca\u00adfé", "CAFÉ"], "caf\u00e9"),
        (["straße", "STRASSE", "STRAẞE"], "straße"),
        (["σίγμας", "ΣΊΓΜΑΣ"], "σίγμας"),
        (["İzmir", "i\u0307zmir"], "i\u0307zmir"),
        (["\ud55c", "\u1112\u1161\u11ab"], "\ud55c"),
        (["❤️", "❤"], "❤️"),
        (["Два  слова", " два слова "], "два слова"),
    ],
)
def test_first_spelling_of_a_tag_is_kept(spellings: list[str], kept: str) -> None:
    assert clean_tags(spellings) == [kept]


@pytest.mark.parametrize(
    ("one", "other"),
    [("ı", "i"), ("é", "e"), ("c", "c#"), (ENGLAND, WALES), (ENGLAND, "🏴"), ("می\u200cرود", "می رود")],
)
def test_different_tags_stay_different(one: str, other: str) -> None:
    assert clean_tags([one, other]) == [one, other]


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_compared_as_in_a_longer_text(text: str) -> None:
    assert comparable(f"{text}é") == f"{comparable(text)}é"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_stored_tag_is_accepted_again_unchanged(tag: str) -> None:
    try:
        kept = clean_tag(tag)
    except InvalidText:
        return

    assert clean_tag(kept) == kept
    assert comparable(kept) == comparable(comparable(kept))
    assert len(kept) <= TAG_MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (f"{ENGLAND}{WALES}", f"{ENGLAND}{WALES}"),
        ("\U0001f3f4" + "\U000e0061" * 50_000 + "b", "\U0001f3f4b"),
        ("a\u202eb\u2066c\ufeffd\u200be\ud800", "abcde"),
        ("۝ می\u200cروم ❤️ 👩‍🚀", "۝ می\u200cروم ❤️ 👩‍🚀"),
    ],
)
def test_invisible_characters_are_removed_unless_they_show(text: str, seen: str) -> None:
    assert without_unseen(text) == seen


def test_keys_are_kept_only_where_they_differ() -> None:
    assert tag_keys(["garden", "два слова", "日本"]) is None
    assert tag_keys(["garden", "straße"]) == ["garden", "strasse"]


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("x" * 20, 20, "x" * 20),
        ("x" * 21, 20, "x" * 19 + "…"),
        ("word next", 6, "word…"),
        ("e" + "\u0301" * 99, 20, "e" + "\u0301" * 18 + "…"),
    ],
)
def test_cut_marks_what_is_missing(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        (FAMILY * 2, 10, FAMILY * 2),
        (FAMILY * 3, 10, FAMILY * 2),
        (FAMILY * 3, 14, FAMILY * 2),
        ("x" * 300, 200, "x" * 200),
        ("x" * 200 + FAMILY, 203, "x" * 200),
        ("a b ", 2, "a "),
        ("e" + "\u0301" * 299, 200, "e" + "\u0301" * 199),
    ],
)
def test_beginning_is_unchanged_and_divides_no_character(text: str, limit: int, shown: str) -> None:
    assert beginning(text, limit) == shown


@pytest.mark.parametrize("cluster", [FAMILY, "👍🏽", "🇩🇪", ENGLAND, "e\u0301", "❤️", "\u1112\u1161\u11ab"])
@pytest.mark.parametrize("start", ["", "a", "ab", "abc"])
def test_cut_divides_no_visible_character(cluster: str, start: str) -> None:
    text = start + cluster * 20

    shown = cut(text, 20)

    assert len(shown) <= 20
    assert shown.endswith("…")
    assert regex.fullmatch(rf"{start}({cluster})+…", shown)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\n \n one \ntwo", "one"),
        ("x" * 60, "x" * 60),
        ("x" * 99, "x" * (MANUAL_TITLE_LENGTH - 1) + "…"),
        ("👍🏽" * 40, "👍🏽" * 29 + "…"),
        ("---\ntags: [a]\n---\n# Beans", "tags: [a]"),
        ("```python\nprint()\n```", "print()"),
        ("* * *\n", "* * *"),
        ("---\n* * *\n", "---"),
        ("\u200b\n-" + "-" * 99, "-" * (MANUAL_TITLE_LENGTH - 1) + "…"),
        ("\x1b[0m" * 40, "[0m" * 19 + "[0…"),
        ("\x1b]8;;https://example.org\x07a link\x1b]8;;\x07", "a link"),
        ("\ufeff\u200b\n\x07be\x00ll\x1b[31m\tred", "be ll red"),
        ("\x1b[0m", "[0m"),
        ("", ""),
    ],
)
def test_first_line_is_the_first_one_with_words(text: str, title: str) -> None:
    assert first_line(text) == title

"""The rules for texts, titles, summaries and tags. tests/items/test_doors.py checks that every way in has them."""

import re
import sys

import pytest
import regex
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from items.api.field_schema import UNSEEN, VISIBLE_LINE, VISIBLE_TEXT
from items.models import Item
from items.texts import (
    MANUAL_TITLE_LENGTH,
    TAG_MAX_LENGTH,
    InvalidText,
    Refusal,
    clean_tag,
    clean_tags,
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


@pytest.mark.parametrize("cluster", [FAMILY, "👍🏽", "🇩🇪", ENGLAND, "e\u0301", "❤️", "\u1112\u1161\u11ab"])
@pytest.mark.parametrize("beginning", ["", "a", "ab", "abc"])
def test_cut_divides_no_visible_character(cluster: str, beginning: str) -> None:
    text = beginning + cluster * 20

    shown = cut(text, 20)

    assert len(shown) <= 20
    assert shown.endswith("…")
    assert regex.fullmatch(rf"{beginning}({cluster})+…", shown)


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
        ("\ufeff\u200b\n\x07be\x00ll\x1b[31m\tred", "be ll red"),
        ("\x1b[0m", "[0m"),
        ("", ""),
    ],
)
def test_first_line_is_the_first_one_with_words(text: str, title: str) -> None:
    assert first_line(text) == title

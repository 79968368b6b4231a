"""The rules for the text, title, summary and tags of an item, wherever they come from."""

import re
import unicodedata

import regex
from django.conf import settings
from django.db.models import TextChoices
from django.utils.functional import lazy

RAW_TEXT_HIGHEST_LIMIT = 1_000_000
"""The highest value of LITEVAULT_TEXT_MAX_LENGTH, which the database enforces."""

LISTED_TEXT_MAX_LENGTH = 10_000
"""How much of a text the lists show."""

TITLE_MAX_LENGTH = 100
SUMMARY_MAX_LENGTH = 500
TAG_MAX_LENGTH = 50
TAGS_MAX_COUNT = 20

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Default ignorable: soft hyphens, joiners, variation selectors, marks of direction. U+2800 is a blank of Braille.
VISIBLE = regex.compile(r"[^\s\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\u2800]")
IGNORABLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cs}]+")
# Joiners and variation selectors change what is seen. Tag characters do after a black flag: the flag of England.
PRESENTATION = r"\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
UNSEEN = regex.compile(
    rf"(?<=\U0001f3f4[\U000e0020-\U000e007f]*)[\U000e0020-\U000e007f](*SKIP)(*FAIL)"
    rf"|[[\p{{Default_Ignorable_Code_Point}}\p{{Cs}}]--[{PRESENTATION}]]",
    regex.VERSION1,
)
GRAPHEME = regex.compile(r"\X")
LONGEST_GRAPHEME = 64
ELLIPSIS = "…"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def raw_text_max_length() -> int:
    """Return how many characters a text may have that is captured now. Stored texts may be longer."""
    return int(settings.TEXT_MAX_LENGTH)


def _too_long() -> str:
    return f"may have at most {raw_text_max_length():,} characters"


class Refusal(TextChoices):
    """The reason why a text is refused. The label completes the sentence "The text …"."""

    BLANK = "blank", "may not be blank"
    TOO_LONG = "max_length", lazy(_too_long, str)()
    NUL = "null_characters_not_allowed", "may not contain a NUL character"
    SURROGATE = "surrogate_characters_not_allowed", "may not contain half of a surrogate pair"


def refusal(raw_text: str) -> Refusal | None:
    """Return the reason why this text cannot be captured, or None if it can."""
    if is_blank(raw_text):
        return Refusal.BLANK
    if len(raw_text) > raw_text_max_length():
        return Refusal.TOO_LONG
    if "\x00" in raw_text:
        return Refusal.NUL
    if LONE_SURROGATE.search(raw_text):
        return Refusal.SURROGATE
    return None


def is_blank(text: str) -> bool:
    """Return whether there is nothing to see: only white space, control and invisible characters."""
    return not VISIBLE.search(text)


def comparable(text: str) -> str:
    """Return what two texts share that differ only in Unicode's normal form, in case or in invisible characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", IGNORABLE.sub("", text)).casefold())


def without_unseen(text: str) -> str:
    """Remove invisible characters and lone surrogates, except those that change how their neighbours look."""
    return str(UNSEEN.sub("", text))


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters, with an ellipsis if the text is longer. No visible character is divided."""
    if len(text) <= limit:
        return text
    end = 0
    for cluster in GRAPHEME.finditer(text):
        if cluster.end() > limit - len(ELLIPSIS):
            break
        end = cluster.end()
    return text[: end or limit - len(ELLIPSIS)].rstrip() + ELLIPSIS


def normalise_tag(tag: str) -> str:
    """Trim a tag, convert it to lower case and to NFC, and collapse white space. An invisible tag becomes empty."""
    if is_blank(tag):
        return ""
    return unicodedata.normalize("NFC", " ".join(without_unseen(tag).split()).lower())


def beginning(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, unchanged. No visible character is divided, unless it is huge."""
    if len(text) <= limit:
        return text
    ends = (cluster.end() for cluster in GRAPHEME.finditer(text, max(0, limit - LONGEST_GRAPHEME), limit + 1))
    return text[: max((end for end in ends if end <= limit), default=limit)]

"""The rules for the text, title, summary and tags of an item, wherever they come from."""

import re

from django.db.models import TextChoices

RAW_TEXT_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 100
SUMMARY_MAX_LENGTH = 500
TAG_MAX_LENGTH = 50
TAGS_MAX_COUNT = 20

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Refusal(TextChoices):
    """The reason why a text is refused. The label completes the sentence "The text …"."""

    BLANK = "blank", "may not be blank"
    TOO_LONG = "max_length", f"may have at most {RAW_TEXT_MAX_LENGTH:,} characters"
    NUL = "null_characters_not_allowed", "may not contain a NUL character"
    SURROGATE = "surrogate_characters_not_allowed", "may not contain half of a surrogate pair"


def refusal(raw_text: str) -> Refusal | None:
    """Return the reason why this text cannot be captured, or None if it can."""
    if not raw_text.strip():
        return Refusal.BLANK
    if len(raw_text) > RAW_TEXT_MAX_LENGTH:
        return Refusal.TOO_LONG
    if "\x00" in raw_text:
        return Refusal.NUL
    if LONE_SURROGATE.search(raw_text):
        return Refusal.SURROGATE
    return None


def normalise_tag(tag: str) -> str:
    """Trim a tag, convert it to lower case and collapse white space."""
    return " ".join(tag.split()).lower()

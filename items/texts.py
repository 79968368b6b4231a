"""The rules for the text, title, summary and tags of an item, wherever they come from."""

import re
import unicodedata
from collections.abc import Iterable

import regex
from django.conf import settings
from django.db.models import TextChoices
from django.utils.functional import lazy

RAW_TEXT_HIGHEST_LIMIT = 1_000_000
"""The highest value of LITEVAULT_TEXT_MAX_LENGTH, which the database enforces."""

LISTED_TEXT_MAX_LENGTH = 10_000
"""How much of a text the lists show."""

TITLE_MAX_LENGTH = 100
MANUAL_TITLE_LENGTH = 60
SUMMARY_MAX_LENGTH = 500
TAG_MAX_LENGTH = 50
TAGS_MAX_COUNT = 20

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Default ignorable: soft hyphens, joiners, variation selectors, marks of direction. U+2800 is a blank of Braille.
VISIBLE = regex.compile(r"[^\s\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\u2800]")
# The flag of a region, such as England, is a black flag with invisible letters. They would hide any other text as well.
FLAG = r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f(*SKIP)(*FAIL)"
IGNORABLE = regex.compile(rf"{FLAG}|[\p{{Default_Ignorable_Code_Point}}\p{{Cs}}]")
# Joiners and variation selectors change what is seen.
PRESENTATION = r"\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
UNSEEN = regex.compile(
    rf"{FLAG}|[[\p{{Default_Ignorable_Code_Point}}\p{{Cs}}]--[{PRESENTATION}]]",
    regex.VERSION1,
)
GRAPHEME = regex.compile(r"\X")
LONGEST_GRAPHEME = 64
ELLIPSIS = "…"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Terminal sequences for the cursor, colours, links and titles.
ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\x9d]*(?:\x07|\x1b\\|\x9c)"
)
# A horizontal rule, the fence of a front matter or of code, a bullet without text.
MARKUP_LINE = re.compile(r"[-*_=~+#.\s]+|(?:```|~~~).*")


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


class InvalidText(ValueError):
    """The reason completes a sentence that begins with the name of the field. It never contains the text."""

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason)
        self.code = code


def refusal(raw_text: str) -> Refusal | None:
    """Return the reason why this text cannot be captured, or None if it can."""
    return _refusal(raw_text, limit=raw_text_max_length())


def _refusal(text: str, *, limit: int) -> Refusal | None:
    if "\x00" in text:
        return Refusal.NUL
    if LONE_SURROGATE.search(text):
        return Refusal.SURROGATE
    if is_blank(text):
        return Refusal.BLANK
    return Refusal.TOO_LONG if len(text) > limit else None


# Each of these returns the value to store. Raises InvalidText.


def clean_raw_text(raw_text: str) -> str:
    if reason := refusal(raw_text):
        raise InvalidText(reason.label, code=reason.value)
    return raw_text


def clean_text(text: str, *, limit: int) -> str:
    text = text.strip()
    reason = _refusal(text, limit=limit)
    if reason is Refusal.TOO_LONG:
        raise InvalidText(f"may have at most {limit:,} characters", code=reason.value)
    if reason:
        raise InvalidText(reason.label, code=reason.value)
    return text


def clean_line(text: str, *, limit: int) -> str:
    line = clean_text(text, limit=limit)
    if CONTROL_CHARACTER.search(line):
        raise InvalidText("may not contain line breaks or control characters", code="control_character")
    return line


def clean_title(title: str) -> str:
    return clean_line(title, limit=TITLE_MAX_LENGTH)


def clean_summary(summary: str) -> str:
    return clean_text(summary, limit=SUMMARY_MAX_LENGTH)


def clean_tag(tag: str) -> str:
    """Check the tag as it was typed and as it is stored, which can be longer: a lower-case İ has two characters."""
    clean_line(tag, limit=len(tag))
    return clean_line(normalise_tag(tag), limit=TAG_MAX_LENGTH)


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Keep the first spelling of each tag."""
    kept: dict[str, str] = {}
    for position, tag in enumerate(tags, start=1):
        try:
            cleaned = clean_tag(tag)
        except InvalidText as error:
            raise InvalidText(f"at position {position} {error}", code=error.code) from None
        kept.setdefault(comparable(cleaned), cleaned)
    if len(kept) > TAGS_MAX_COUNT:
        raise InvalidText(f"may hold at most {TAGS_MAX_COUNT} tags", code="max_length")
    return list(kept.values())


def tag_keys(tags: Iterable[str]) -> list[str] | None:
    """Return what the tags are compared by, or None if it is the tags themselves."""
    tags = list(tags)
    keys = [comparable(tag) for tag in tags]
    return None if keys == tags else keys


def is_blank(text: str) -> bool:
    """Return whether there is nothing to see: only white space, control and invisible characters."""
    return not VISIBLE.search(text)


def comparable(text: str) -> str:
    """Return what two texts share that differ only in Unicode's normal form, in case or in invisible characters."""
    if text.isascii():
        return text.lower()
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


def on_one_line(text: str) -> str:
    """Remove escape sequences, control characters and invisible ones, and collapse white space."""
    line = without_unseen(CONTROL_CHARACTER.sub(" ", ESCAPE_SEQUENCE.sub("", text)))
    return "" if is_blank(line) else " ".join(line.split())


def with_line_feeds(text: str) -> str:
    """Replace each CRLF and CR by LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def first_line(text: str) -> str:
    """Return the title of a text that is not enriched: its first line that has more than markup, on one line."""
    markup = ""
    for line in filter(None, map(on_one_line, text.splitlines())):
        if not MARKUP_LINE.fullmatch(line):
            return cut(line, MANUAL_TITLE_LENGTH)
        markup = markup or line
    # A text can also consist of escape sequences only.
    return cut(markup or without_unseen(CONTROL_CHARACTER.sub("", text)).strip(), MANUAL_TITLE_LENGTH)


def beginning(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, unchanged. No visible character is divided, unless it is huge."""
    if len(text) <= limit:
        return text
    ends = (cluster.end() for cluster in GRAPHEME.finditer(text, max(0, limit - LONGEST_GRAPHEME), limit + 1))
    return text[: max((end for end in ends if end <= limit), default=limit)]

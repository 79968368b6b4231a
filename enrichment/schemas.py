"""The draft: its schema, its limits and its usage."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from enrichment.spelling import distinct
from items.states import SourceType
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TITLE_MAX_LENGTH, normalise_tag

# An owner may give an item more tags than a draft has.
DRAFT_TAGS_MIN_COUNT = 3
DRAFT_TAGS_MAX_COUNT = 5

# Terminal sequences for the cursor, colours, links and titles.
ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\x9d]*(?:\x07|\x1b\\|\x9c)"
)
JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens and the cost of an attempt, and the model that replied, or was called last.

    `cost_usd` is None if a price is not known.
    """

    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal | None = None

    def __add__(self, later: "Usage") -> "Usage":
        costs = (self.cost_usd, later.cost_usd)
        return Usage(
            model=later.model,
            prompt_tokens=self.prompt_tokens + later.prompt_tokens,
            completion_tokens=self.completion_tokens + later.completion_tokens,
            cost_usd=None if None in costs else sum(filter(None, costs), Decimal(0)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichmentResult:
    """A draft within every limit of the database."""

    title: str
    summary: str
    tags: tuple[str, ...]
    source_type: SourceType
    usage: Usage


def one_line(text: str, *, limit: int) -> str:
    """Return the text on one line, cut at a word where possible, with an ellipsis where it is cut.

    Control, bidirectional and escape characters are removed: PostgreSQL refuses some, and others deceive a reader.
    """
    text = ESCAPE_SEQUENCE.sub("", text)
    printable = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text if is_harmless(c))
    line = " ".join(printable.split())
    if not line.strip(JOINERS + " "):
        return ""
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"


def is_harmless(character: str) -> bool:
    """Return False for lone surrogates and invisible format characters, except joiners, which emoji need."""
    return unicodedata.category(character) not in ("Cs", "Cf") or character in JOINERS


def drafted_tag(tag: str) -> str:
    """Normalise a tag and strip list punctuation around it. A # at the end is part of the tag, as in c#."""
    return normalise_tag(one_line(tag, limit=10 * TAG_MAX_LENGTH)).lstrip(" #,;")[:TAG_MAX_LENGTH].rstrip(" ,;")


def _as_line(limit: int) -> BeforeValidator:
    return BeforeValidator(lambda value: one_line(value, limit=limit) if isinstance(value, str) else value)


def _as_tags(value: object) -> object:
    """Split "a, b, c" into a list, and keep the first five distinct tags."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return value
    if not all(isinstance(tag, str) for tag in value):
        return value
    tags = (drafted_tag(tag) for tag in value)
    return list(islice(distinct(tag for tag in tags if tag), DRAFT_TAGS_MAX_COUNT))


def _as_source_type(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class EnrichmentSchema(BaseModel):
    """A draft that describes a text for the person who captured it."""

    model_config = ConfigDict(extra="ignore")

    title: Annotated[str, _as_line(TITLE_MAX_LENGTH)] = Field(
        min_length=1, max_length=TITLE_MAX_LENGTH, description="What the text is about, in a few words of its language."
    )
    summary: Annotated[str, _as_line(SUMMARY_MAX_LENGTH)] = Field(
        min_length=1, max_length=SUMMARY_MAX_LENGTH, description="What the text says, in one to three sentences."
    )
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=TAG_MAX_LENGTH)]], BeforeValidator(_as_tags)] = (
        Field(
            min_length=DRAFT_TAGS_MIN_COUNT, max_length=DRAFT_TAGS_MAX_COUNT, description="Topics to find the text by."
        )
    )
    source_type: Annotated[SourceType, BeforeValidator(_as_source_type)] = Field(
        description="ARTICLE for a published text or a link to one, NOTE for anything else."
    )

    def result(self, usage: Usage) -> EnrichmentResult:
        return EnrichmentResult(
            title=self.title,
            summary=self.summary,
            tags=tuple(self.tags),
            source_type=self.source_type,
            usage=usage,
        )

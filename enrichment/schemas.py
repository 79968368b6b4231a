"""The draft: its schema, its limits and its usage."""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from enrichment.spelling import distinct
from enrichment.tidying import listed_tags, without_bullet, without_numbering, without_quotes
from items.states import SourceType
from items.texts import (
    ELLIPSIS,
    SUMMARY_MAX_LENGTH,
    TAG_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    cut,
    normalise_tag,
    on_one_line,
)

# An owner may give an item more tags than a draft has.
DRAFT_TAGS_MIN_COUNT = 3
DRAFT_TAGS_MAX_COUNT = 5

NOT_PUNCTUATION = re.compile(r"[^\W_]|[^\x00-\x7f]")
ARTICLE = re.compile(r"(?<![a-z])(?:article|(?:blog)?post)s?(?![a-z])", re.IGNORECASE)


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
    tags_filled: bool = False


def one_line(text: str, *, limit: int) -> str:
    """Return the text on one line, cut at a word where possible, with an ellipsis where it is cut.

    Control, bidirectional and escape characters are removed: PostgreSQL refuses some, and others deceive a reader.
    """
    line = on_one_line(text)
    shown = cut(line, limit)
    if shown == line:
        return line
    kept = shown.removesuffix(ELLIPSIS)
    at_word = kept if line[len(kept)] == " " else kept.rpartition(" ")[0]
    return at_word + ELLIPSIS if len(at_word) > limit // 2 else shown


def drafted_tag(tag: str) -> str:
    """Normalise a tag, and remove quotes and list punctuation around it. A # at the end is a part of it, as in c#."""
    tag, tidier = "", normalise_tag(one_line(tag, limit=10 * TAG_MAX_LENGTH))
    while tidier != tag:
        tag = tidier
        tidier = cut(without_quotes(without_bullet(tag)).lstrip(" #,;"), TAG_MAX_LENGTH).rstrip(" ,;")
    return tag


def drafted_tags(value: object) -> list[str]:
    """Return all tags in a list, or in a text that lists them, with repetitions."""
    tags = without_numbering([tag for tag in map(drafted_tag, listed_tags(value)) if NOT_PUNCTUATION.search(tag)])
    return [tag for tag in map(drafted_tag, tags) if NOT_PUNCTUATION.search(tag)]


def distinct_tags(value: object) -> list[str]:
    return list(islice(distinct(drafted_tags(value)), DRAFT_TAGS_MAX_COUNT))


def _as_line(limit: int) -> BeforeValidator:
    def tidied(value: object) -> object:
        if not isinstance(value, str):
            return value
        return one_line(without_quotes(one_line(value, limit=len(value))), limit=limit)

    return BeforeValidator(tidied)


def _as_tags(value: object) -> object:
    """Keep the first five distinct tags. A model that repeats one to reach the least number learns which."""
    if not isinstance(value, str | list | tuple):
        return value
    tags, kept = drafted_tags(value), distinct_tags(value)
    repeated = next((tag for position, tag in enumerate(tags) if tag not in kept or tag in tags[:position]), None)
    if len(kept) < DRAFT_TAGS_MIN_COUNT and repeated is not None:
        raise ValueError(f"The tag {repeated!r} is a duplicate. Give {DRAFT_TAGS_MIN_COUNT} different tags.")
    return kept


def _as_source_type(value: object) -> object:
    return SourceType.ARTICLE if isinstance(value, str) and ARTICLE.search(value) else SourceType.NOTE


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
    # Set by the reader of replies, not by the model.
    tags_filled: SkipJsonSchema[bool] = False

    def result(self, usage: Usage) -> EnrichmentResult:
        return EnrichmentResult(
            title=self.title,
            summary=self.summary,
            tags=tuple(self.tags),
            source_type=self.source_type,
            usage=usage,
            tags_filled=self.tags_filled,
        )

"""The provider that needs no key and no network: it draws the draft from the text's own words."""

import asyncio
from collections.abc import Sequence

from enrichment.extraction.blocks import Document, Kind, read
from enrichment.extraction.keywords import symbol_names, tags, weigh
from enrichment.extraction.markup import URL, clean, url_words, without_urls
from enrichment.extraction.summaries import summary_of
from enrichment.extraction.titles import title_of
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult, EnrichmentSchema, Usage, one_line
from items.states import SourceType
from items.texts import SUMMARY_MAX_LENGTH, TITLE_MAX_LENGTH

NOTHING_TO_READ = "Untitled"
ARTICLE_LENGTH = 1200
ARTICLE_PARAGRAPHS = 3


class StubProvider(EnrichmentProvider):
    """Deterministic and offline: the same text always gets the same draft.

    `delay_seconds` stands in for the time that a model would take.
    """

    def __init__(self, *, delay_seconds: float = 0) -> None:
        self.delay_seconds = delay_seconds

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:  # noqa: ARG002  # its tags stand in the text
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        return draft(text).result(Usage(model="stub"))


def draft(text: str) -> EnrichmentSchema:
    document = read(text)
    title = (
        beginning(title_of(document), limit=TITLE_MAX_LENGTH)
        or beginning(clean(text), limit=TITLE_MAX_LENGTH)
        or NOTHING_TO_READ
    )
    source_type = source_type_of(text, document)
    weights = weigh(prose_of(document) or url_words(clean(text).strip()), title=title)
    return EnrichmentSchema.model_validate(
        {
            "title": title,
            "summary": beginning(summary_of(document, weights, title=title), limit=SUMMARY_MAX_LENGTH) or title,
            "tags": tags(weights, fallbacks=(*symbol_names(text), source_type.lower(), "text", "short")),
            "source_type": source_type,
        }
    )


def beginning(text: str, *, limit: int) -> str:
    """What of it fits on a line. Of a long text not every character is looked at."""
    return one_line(text[: 5 * limit], limit=limit)


def prose_of(document: Document) -> str:
    """What there is to read, without addresses: their parts are no words of the text."""
    return without_urls("\n".join(block.text for block in document.blocks))


def source_type_of(text: str, document: Document) -> SourceType:
    """An article has an address, or is long and in paragraphs. Anything else somebody noted down."""
    is_long = len(text) >= ARTICLE_LENGTH and len(document.of(Kind.PROSE)) >= ARTICLE_PARAGRAPHS
    return SourceType.ARTICLE if is_long or URL.search(text) else SourceType.NOTE

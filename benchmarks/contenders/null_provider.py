"""A provider that needs time and nothing else."""

import asyncio
from collections.abc import Sequence

from benchmarks.contenders.base import Started
from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult, Usage
from items.states import SourceType

RESULT = EnrichmentResult(
    title="A title",
    summary="A summary.",
    tags=("one", "two", "three"),
    source_type=SourceType.NOTE,
    usage=Usage(model="null"),
)


class NullProvider(EnrichmentProvider):
    def __init__(self, started: Started, *, seconds: float) -> None:
        self._started = started
        self._seconds = seconds

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        self._started(text)
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return RESULT

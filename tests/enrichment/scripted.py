"""A provider with scripted replies."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from enrichment.providers.base import EnrichmentProvider
from enrichment.schemas import EnrichmentResult, Usage
from items.states import SourceType

SPENT = Usage(model="scripted", prompt_tokens=900, completion_tokens=90, cost_usd=Decimal("0.0012"))


def draft(title: str = "A title", *, tags: tuple[str, ...] = ("one", "two", "three")) -> EnrichmentResult:
    return EnrichmentResult(
        title=title,
        summary="A summary.",
        tags=tags,
        source_type=SourceType.NOTE,
        usage=Usage(model="scripted", prompt_tokens=7, completion_tokens=3),
    )


class ScriptedProvider(EnrichmentProvider):
    """Returns a result, raises an exception, or waits for an event, as the script of each text says."""

    def __init__(self) -> None:
        self.script: dict[str, list[EnrichmentResult | BaseException | asyncio.Event]] = {}
        self.calls: list[str] = []
        self.vocabularies: dict[str, list[str]] = {}
        self.cancelled: list[str] = []
        self.running = 0
        self.most_running = 0

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        self.calls.append(text)
        self.vocabularies[text] = list(vocabulary)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self._answer(text)
        except asyncio.CancelledError:
            self.cancelled.append(text)
            raise
        finally:
            self.running -= 1

    async def _answer(self, text: str) -> EnrichmentResult:
        answers = self.script.get(text) or [draft()]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return draft()
        if isinstance(answer, EnrichmentResult):
            return answer
        raise answer

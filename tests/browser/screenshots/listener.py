"""`manage.py enrich_listener`, with a provider that has a price, and fails or takes for ever where the text says so.

Started as ``python -m tests.browser.screenshots.listener […]``.
"""

import asyncio
import sys
from collections.abc import Sequence
from decimal import Decimal

from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.stub import draft
from enrichment.schemas import EnrichmentResult, Usage
from tests.browser.screenshots.texts import FAILING, SLOW
from tests.listeners import enrich_with

MODEL = "openai/gpt-4o-mini"
PRICE_IN, PRICE_OUT = Decimal("0.00000015"), Decimal("0.0000006")
PROMPT_TOKENS = 420
LETTERS_OF_A_TOKEN = 4


class PricedProvider(EnrichmentProvider):
    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        if text in SLOW:
            await asyncio.Event().wait()  # nobody sets it
        if text in FAILING:
            raise FAILING[text](usage=usage(text, answer=""))
        result = draft(text)
        return result.result(usage(text, answer=f"{result.title}{result.summary}{result.tags}"))


def usage(text: str, *, answer: str) -> Usage:
    tokens_in = PROMPT_TOKENS + len(text) // LETTERS_OF_A_TOKEN
    tokens_out = len(answer) // LETTERS_OF_A_TOKEN
    return Usage(
        model=MODEL,
        prompt_tokens=tokens_in,
        completion_tokens=tokens_out,
        cost_usd=tokens_in * PRICE_IN + tokens_out * PRICE_OUT,
    )


if __name__ == "__main__":
    enrich_with(PricedProvider(), sys.argv[1:])

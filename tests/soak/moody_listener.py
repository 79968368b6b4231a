"""`manage.py enrich_listener` with a provider whose behaviour the text sets.

Started as ``python -m tests.soak.moody_listener SECONDS […]``. A text takes up to this long, the same each time.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence

from enrichment.errors import KeyRefused, ProviderRefused, ProviderUnavailable
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.stub import draft
from enrichment.schemas import EnrichmentResult, Usage
from tests.listeners import enrich_with
from tests.soak.texts import Kind, kind_of, until_of


class MoodyProvider(EnrichmentProvider):
    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        await asyncio.sleep(self._seconds * random.Random(text).random())
        kind, is_over = kind_of(text), time.time() >= until_of(text)
        if kind is Kind.REFUSED:
            raise ProviderRefused
        if kind is Kind.MENDED and not is_over:
            raise KeyRefused
        if kind is Kind.OUTAGE and not is_over:
            raise ProviderUnavailable
        return draft(text).result(Usage(model="moody"))


if __name__ == "__main__":
    enrich_with(MoodyProvider(seconds=float(sys.argv[1])), sys.argv[2:])

"""`manage.py enrich_listener` with a slow provider that notes its calls.

Usage: python -m tests.failover.counting_listener FILE […].

Each call is a line of the file: the text.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from enrichment.providers.stub import StubProvider
from enrichment.schemas import EnrichmentResult
from tests.listeners import enrich_with

CALL_SECONDS = 0.3


class CountingProvider(StubProvider):
    def __init__(self, path: str) -> None:
        self._calls = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        os.write(self._calls, f"{text}\n".encode())  # one write, because two listeners share the file
        await asyncio.sleep(CALL_SECONDS)
        return await super().enrich_item(text, vocabulary=vocabulary)


if __name__ == "__main__":
    enrich_with(CountingProvider(sys.argv[1]), sys.argv[2:])

"""`manage.py enrich_listener` with a slow provider: python -m tests.faults.slow_listener SECONDS […].

A text that says "poison" ends the process at once, as one that exhausts the memory would.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from enrichment.providers.stub import StubProvider
from enrichment.schemas import EnrichmentResult
from tests.listeners import enrich_with


class SlowProvider(StubProvider):
    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        if "poison" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        print("call.began", flush=True)
        await asyncio.sleep(self._seconds)
        return await super().enrich_item(text, vocabulary=vocabulary)


if __name__ == "__main__":
    enrich_with(SlowProvider(seconds=float(sys.argv[1])), sys.argv[2:])

"""`manage.py enrich_listener`, but its provider takes a while: python -m tests.faults.slow_listener SECONDS […].

A text that says "poison" ends the process on the spot, as one that exhausts the memory would.
"""

import os
import signal
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from enrichment.config import LLMSettings
from enrichment.providers import factory
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.stub import StubProvider
from enrichment.schemas import EnrichmentResult


class SlowProvider(StubProvider):
    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        if "poison" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().enrich_item(text, vocabulary=vocabulary)


def main() -> None:
    seconds = float(sys.argv[1])

    def build_provider(settings: LLMSettings) -> EnrichmentProvider:
        return SlowProvider(delay_seconds=seconds)

    # Before the command imports it.
    factory.build_provider = build_provider
    execute_from_command_line(["manage.py", "enrich_listener", *sys.argv[2:]])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    main()

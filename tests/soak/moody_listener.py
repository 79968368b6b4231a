"""`manage.py enrich_listener`, with a provider that does what the text says.

Started as ``python -m tests.soak.moody_listener SECONDS […]``. A text takes up to so many seconds, always the same.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from enrichment.config import LLMSettings
from enrichment.errors import KeyRefused, ProviderRefused, ProviderUnavailable
from enrichment.providers import factory
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.stub import draft
from enrichment.schemas import EnrichmentResult, Usage
from tests.soak.texts import Kind, kind_of, until_of


class MoodyProvider(EnrichmentProvider):
    uses_vocabulary = True

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        await asyncio.sleep(self._seconds * random.Random(text).random())  # noqa: S311  # no secret
        kind, is_over = kind_of(text), time.time() >= until_of(text)
        if kind is Kind.REFUSED:
            raise ProviderRefused
        if kind is Kind.MENDED and not is_over:
            raise KeyRefused
        if kind is Kind.OUTAGE and not is_over:
            raise ProviderUnavailable
        return draft(text).result(Usage(model="moody"))


def main() -> None:
    seconds = float(sys.argv[1])

    def build_provider(settings: LLMSettings) -> EnrichmentProvider:
        return MoodyProvider(seconds=seconds)

    # Before the command imports it.
    factory.build_provider = build_provider
    execute_from_command_line(["manage.py", "enrich_listener", *sys.argv[2:]])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    main()

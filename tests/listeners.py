"""`manage.py enrich_listener` as a process of its own, with a provider that a test chose."""

import os
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from enrichment.config import LLMSettings
from enrichment.providers import factory
from enrichment.providers.base import EnrichmentProvider


def enrich_with(provider: EnrichmentProvider, arguments: Sequence[str]) -> None:
    """Run the command, whatever provider the settings name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")

    def build_provider(settings: LLMSettings) -> EnrichmentProvider:
        return provider

    # Before the command imports it.
    factory.build_provider = build_provider
    execute_from_command_line(["manage.py", "enrich_listener", *arguments])

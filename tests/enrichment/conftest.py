"""The worker under test has a scripted provider."""

import pytest

from tests.enrichment.scripted import ScriptedProvider


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()

"""The provider of the worker under test does as it is told."""

import pytest

from tests.enrichment.scripted import ScriptedProvider


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()

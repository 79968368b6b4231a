"""docs/errors.md matches the code."""

from pathlib import Path

import pytest

from enrichment.errors import EnrichmentError
from tests.enrichment.fault_matrix import table
from tests.enrichment.provider_errors import provider_table
from tests.enrichment.test_errors import all_below

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


def test_page_has_the_table_of_the_matrix(page: str) -> None:
    assert table() in page


def test_page_has_the_table_of_the_providers(page: str) -> None:
    assert provider_table() in page


@pytest.mark.parametrize("kind", list(all_below(EnrichmentError)))
def test_page_has_advice_about_each_error(kind: type[EnrichmentError], page: str) -> None:
    assert f"| `{kind.code}` | {kind.sentence} |" in page

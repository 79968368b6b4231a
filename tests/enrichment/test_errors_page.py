"""docs/errors.md matches the code."""

from pathlib import Path

import pytest

from items.reasons import Reason
from tests.enrichment.fault_matrix import table
from tests.enrichment.provider_errors import provider_table

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


def test_page_has_the_table_of_the_matrix(page: str) -> None:
    assert table() in page


def test_page_has_the_table_of_the_providers(page: str) -> None:
    assert provider_table() in page


def test_page_has_the_table_of_the_reasons(page: str) -> None:
    rows = [f"| `{each}` | `{each.code}` | {each.sentence} | {each.advice} |" for each in Reason]

    assert "\n".join(("| Reason | Code | Sentence | What to do |", "|---|---|---|---|", *rows)) in page

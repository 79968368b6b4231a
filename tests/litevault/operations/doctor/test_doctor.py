"""All checks of the doctor, with a real database."""

import re

import pytest

from litevault.settings import BASE_DIR
from tests.litevault.operations.doctor.command import run_doctor

pytestmark = pytest.mark.django_db(transaction=True)


def test_healthy_installation_passes(listener_connection: object, stub: None) -> None:
    code, output = run_doctor()

    assert code == 0, output
    assert "All checks passed." in output
    assert "a notification arrives in" in output


def test_page_for_operators_lists_exactly_the_checks(listener_connection: object, stub: None) -> None:
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    section = page.partition("## What the doctor finds")[2].partition("\n## ")[0]
    in_page = re.findall(r"^\| `([A-Za-z. ]+)` \|", section, re.MULTILINE)

    _, output = run_doctor()

    found = re.findall(r"^  (?:ok    |failed) (.{12}) ", output, re.MULTILINE)
    assert sorted({subject.strip() for subject in found}) == sorted(in_page)

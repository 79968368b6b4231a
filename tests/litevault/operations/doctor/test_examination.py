"""All of what the doctor looks at, with a real database."""

import re

import pytest

from litevault.settings import BASE_DIR
from tests.litevault.operations.doctor.examined import examined

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_is_well(a_listener: object, stub: None) -> None:
    code, said = examined()

    assert code == 0, said
    assert "All is well." in said
    assert "a notification arrives in" in said


def test_page_for_operators_has_every_subject_and_no_other(a_listener: object, stub: None) -> None:
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    section = page.partition("## What the doctor finds")[2].partition("\n## ")[0]
    in_page = re.findall(r"^\| `([A-Za-z ]+)` \|", section, re.MULTILINE)

    _, said = examined()

    found = re.findall(r"^  (?:ok   |wrong) (.{12}) ", said, re.MULTILINE)
    assert sorted({subject.strip() for subject in found}) == sorted(in_page)

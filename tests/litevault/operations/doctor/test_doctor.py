"""All checks of the doctor, with a real database."""

import json
import re

import pytest
from pytest_django import Settings

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

    found = re.findall(r"^  (?:ok    |warn  |failed) (.{12}) ", output, re.MULTILINE)
    assert sorted({subject.strip() for subject in found}) == sorted(in_page)


def test_results_in_json_have_a_level_for_each_check(
    listener_connection: object, stub: None, settings: Settings
) -> None:
    settings.SECRET_KEY = "canary"

    code, output = run_doctor("--json")

    report = json.loads(output)
    levels = {check["subject"]: check["level"] for check in report["checks"]}
    assert (code, levels["web server"], levels["database"]) == (1, "failed", "ok")
    assert report["counts"]["failed"] == 1
    assert all(check["advice"] for check in report["checks"] if check["level"] != "ok")
    assert report["settings"]["LITEVAULT_LLM_PROVIDER"] == "stub"
    assert "canary" not in output


def test_quiet_doctor_shows_only_what_is_not_ok(stub: None) -> None:
    code, output = run_doctor("-v", "0")

    assert code == 1
    assert output.startswith("  failed listeners")
    assert len(output.splitlines()) == 2

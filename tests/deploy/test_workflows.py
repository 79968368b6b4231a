"""The workflows of GitHub call the Makefile, and test what the documentation says is supported."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text())["jobs"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_runs_only_make(path: Path) -> None:
    commands = [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]

    assert commands
    for command in commands:
        make, target, *_ = command.split()
        assert (make, target in TARGETS) == ("make", True), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_end_and_may_write_only_what_they_say(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())

    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())


def test_every_supported_version_is_tested() -> None:
    check = jobs(ROOT / ".github/workflows/check.yml")
    pythons = [step["with"]["python-version"] for step in check["check"]["steps"] if "with" in step]
    pythons += check["python"]["strategy"]["matrix"]["python"]
    servers = check["postgresql"]["strategy"]["matrix"]["postgresql"]

    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert (pythons[0], lowest) == ("3.11", ">=3.11")
    assert "You need Python 3.11, 3.12 or 3.13" in (ROOT / "README.md").read_text()
    assert pythons == ["3.11", "3.12", "3.13"]
    first, last = re.findall(r"PostgreSQL (\d+) to (\d+)", (ROOT / "docs/settings.md").read_text())[0]
    assert servers == [str(version) for version in range(int(first), int(last) + 1)]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_form_asks_for_something(path: Path) -> None:
    form = yaml.safe_load(path.read_text())

    assert form["name"]
    assert form["description"]
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_hooks_use_the_tools_of_the_environment() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]

    ours = [
        hook["entry"].split()[0]
        for repository in hooks
        if repository["repo"] == "local"
        for hook in repository["hooks"]
    ]
    assert {Path(program).parent for program in ours} == {Path(".venv/bin")}

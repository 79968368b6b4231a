"""docs/commands.md, and what all commands have in common."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from items.management.command import ProjectCommand
from litevault.operations.command_reference import PAGE, page, sections
from postgres.embedded.embedded import PROJECT
from tests.waiting import PATIENCE_SECONDS

WITHOUT_A_RESULT = {"enrich_listener", "up"}
DJANGOS_OWN = {"migrate"}


def test_page_of_commands_is_up_to_date() -> None:
    advice = "Run: python -m litevault.operations.command_reference --write"
    assert PAGE.read_text(encoding="utf-8") == page(), advice


@pytest.mark.parametrize("name", sorted({name for name, _ in sections()} - DJANGOS_OWN))
def test_command_has_json_and_documents_its_exit_codes(name: str) -> None:
    command = load_command_class(get_commands()[name], name)

    assert isinstance(command, ProjectCommand)
    assert command.has_json == (name not in WITHOUT_A_RESULT)
    assert set(command.all_exit_codes()) >= {0, 1, 2, 130}
    assert "exit codes:" in command.create_parser("manage.py", name).format_help()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "completed"),
    [("manage.py ite", ["items"]), ("manage.py doctor --no-m", ["--no-model"]), ("manage.py list_", ["list_tokens"])],
)
def test_shell_completes_without_a_database(tmp_path: Path, words: str, completed: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "LITEVAULT"))}
    asked = {"DJANGO_AUTO_COMPLETE": "1", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}

    ran = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py")],
        cwd=tmp_path,
        env=environment | asked,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert ran.stdout.split() == completed, ran.stderr

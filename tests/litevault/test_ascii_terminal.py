"""Commands print the names of users, files and tokens to a terminal that knows only ASCII."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from items.models import Item
from postgres.embedded.embedded import PROJECT
from tests.database import database_url
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ASCII = {"PYTHONIOENCODING": "ascii"}
# The terminal's locale is ASCII, too, so that Python reads file names as bytes.
ASCII_LOCALE = {**ASCII, "LC_ALL": "C", "PYTHONUTF8": "0"}
# In this order. Each line: the command, and what it prints.
COMMANDS: dict[str, tuple[list[str], str]] = {
    "create_token": (["josé", "--name", "日本", "--create-user"], r"for jos\xe9, valid"),
    "list_tokens": ([], r"jos\xe9  \u65e5\u672c"),
    "capture": (["FOLDER", "--owner", "josé"], r"Captured 1 for jos\xe9."),
    "export_items": (["FOLDER/b.jsonl", "--owner", "josé"], r"Exported 1 items of jos\xe9."),
    "import_items": (["FOLDER/b.jsonl", "--owner", "josé"], r"Imported 0 for jos\xe9."),
    "enrich_text": (["FOLDER/é.txt", "--model", "stub"], r"caf\xe9 \u65e5"),
    "items": (["list", "--owner", "josé"], r"  jos\xe9"),
    "enrichment": (["status", "--owner", "josé"], r"not paused for jos\xe9."),
    "delete_user": (["josé", "--yes"], r"Deleted jos\xe9 with 1 items"),
}
WITHOUT_NAMES = {"doctor", "enrich_listener", "make_review_groups", "migrate", "purge", "revoke_token", "up"}
# Runs several commands in one process, because each start takes seconds.
SCRIPT = """
import os, sys, manage
for line in os.fsencode("\\n".join(sys.argv[1:])).split(b"\\n--\\n"):
    sys.argv = ["manage.py", *map(os.fsdecode, line.split(b"\\n"))]
    manage.main()
    sys.stdout.flush()
"""


def run(*commands: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = [argument for command in commands for argument in ("--", *command)][1:]
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": database_url(), "LITEVAULT_DEBUG": "true", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_every_command_of_ours_is_tried_or_prints_no_names() -> None:
    ours = {name for name, app in get_commands().items() if app.startswith(("items", "enrichment", "litevault"))}

    assert ours == {*COMMANDS} | WITHOUT_NAMES


def test_names_are_escaped_on_an_ascii_terminal(tmp_path: Path) -> None:
    (tmp_path / "é.txt").write_text("café 日本 tides", encoding="utf-8")
    commands = [
        [name, *(argument.replace("FOLDER", str(tmp_path)) for argument in arguments)]
        for name, (arguments, _) in COMMANDS.items()
    ]

    ran = run(*commands, **ASCII)

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.isascii()
    assert [printed for _, printed in COMMANDS.values() if printed not in ran.stdout] == []


def test_report_names_refused_files_in_an_ascii_locale(tmp_path: Path) -> None:
    (tmp_path / "é.txt").write_text("Tides", encoding="utf-8")
    (tmp_path / "ü.txt").write_text(" ", encoding="utf-8")

    ran = run(["capture", str(tmp_path)], **ASCII_LOCALE)

    assert ran.returncode == 1, ran.stdout
    assert f"  {tmp_path}/\\xfc.txt: blank\n" in ran.stdout
    assert Item.objects.get().raw_text == "Tides"

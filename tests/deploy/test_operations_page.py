"""docs/operations.md: every shell command on the page is run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.database import database_url
from tests.deploy.test_files import ROOT
from tests.plugins.commands import CommandStarter, ListenerStarter
from tests.plugins.events import EventsStarter

PAGE = (ROOT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PARTS = ("manage.py", "litevault", "items", "enrichment", "postgres")
PG_DUMP = shutil.which("pg_dump")


def pg_dump_version() -> int:
    said = subprocess.run([str(PG_DUMP), "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"(\d+)\.", said)[0])


def server_version() -> int:
    connection.ensure_connection()
    return int(connection.pg_version) // 10_000  # type: ignore[attr-defined]  # PostgreSQL's own


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, because some commands write to it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    return folder


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_every_command_does_what_the_page_says(
    checkout: Path,
    start: CommandStarter,
    start_listener: ListenerStarter,
    start_events: EventsStarter,
) -> None:
    if not PG_DUMP or pg_dump_version() < server_version():
        pytest.skip("there is no pg_dump that knows this server")
    User.objects.create_user("demo")
    start_listener()
    start_events()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": database_url(),
        "LITEVAULT_SECRET_KEY": "for this test only, but as long and mixed as a real one",
        "LITEVAULT_ALLOWED_HOSTS": "vault.example.com",
        "LITEVAULT_CSRF_TRUSTED_ORIGINS": "https://vault.example.com",
        "LITEVAULT_LLM_PROVIDER": "stub",
    }

    ran = subprocess.run(
        ["/bin/sh", "-ex", "-c", "\n".join(BLOCKS)],
        cwd=checkout,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "All checks passed." in ran.stdout
    assert "Exported 2 items of demo." in ran.stderr
    assert "4 existed already and were not changed." in ran.stdout


@pytest.mark.django_db
def test_every_query_in_the_text_is_understood() -> None:
    queries = re.findall(r"`(SELECT [^`]+)`", PAGE)

    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)

    assert queries

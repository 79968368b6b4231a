"""`manage.py` without a database, or with wrong settings."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

import litevault
from postgres.embedded.embedded import PROJECT
from tests.clones import bare_environment, fresh_clone
from tests.processes import named
from tests.waiting import PATIENCE_SECONDS

NOWHERE = "postgresql://litevault@127.0.0.1:1/litevault"


@pytest.fixture
def clone() -> Iterator[Path]:
    with fresh_clone() as folder:
        yield folder


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An empty database on the server of the tests."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE litevault_empty")
    yield urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/litevault_empty"))
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP DATABASE litevault_empty WITH (FORCE)")


def manage(*arguments: str, project: Path = PROJECT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        env=bare_environment() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_any_command_may_be_the_first_one(clone: Path) -> None:
    count = "from items.models import Item; print(Item.objects.count(), 'items')"

    first = manage("shell", "--verbosity=0", "--command", count, project=clone, LITEVAULT_DEBUG="true")

    assert (first.stdout, first.returncode) == ("0 items\n", 0), first.stderr
    assert (clone / "var" / "postgres" / "data").is_dir()
    assert not named(clone)


def test_database_of_dotenv_comes_before_the_embedded_one(clone: Path) -> None:
    (clone / ".env").write_text(f"DATABASE_URL={NOWHERE}\n")

    answer = manage("showmigrations", project=clone)

    assert "The database does not answer" in answer.stderr
    assert not (clone / "var").exists()


def test_database_url_file_comes_before_the_embedded_server(clone: Path) -> None:
    (clone / "url").write_text(f"{NOWHERE}\n")

    answer = manage("showmigrations", project=clone, DATABASE_URL_FILE="url")

    assert "The database does not answer" in answer.stderr
    assert not (clone / "var").exists()


def test_environment_comes_before_dotenv(clone: Path) -> None:
    (clone / ".env").write_text("LITEVAULT_DEBUG=true\nLITEVAULT_LOG_LEVEL=canary\n")
    show = "from django.conf import settings; print(settings.DEBUG)"

    answer = manage(
        "shell", "--no-imports", "--command", show, project=clone, DATABASE_URL=NOWHERE, LITEVAULT_LOG_LEVEL="ERROR"
    )

    assert answer.stdout == "True\n", answer.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("migrate", "--help"), ("--version",), ("enrich_text", "manage.py", "--model", "stub")]
)
def test_help_and_dry_run_need_no_database(clone: Path, arguments: tuple[str, ...]) -> None:
    answer = manage(*arguments, project=clone)

    assert answer.returncode == 0
    assert not (clone / "var").exists()


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_version_is_that_of_litevault(clone: Path, argument: str) -> None:
    assert manage(argument, project=clone).stdout == f"{litevault.__version__}\n"


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 1
    assert re.fullmatch(r"[^\n]+\n", answer.stderr), answer.stderr
    return answer.stderr


def test_wrong_setting_is_one_line() -> None:
    answer = manage("showmigrations", DATABASE_URL=NOWHERE, LITEVAULT_DEBUG="perhaps")

    assert one_line(answer) == "LITEVAULT_DEBUG must be true or false.\n"


def test_server_that_does_not_answer_is_one_line() -> None:
    answer = manage("showmigrations", DATABASE_URL=NOWHERE)

    assert one_line(answer).startswith("The database does not answer.")


def test_missing_tables_are_one_line(empty_database: str) -> None:
    answer = manage("createsuperuser", "--noinput", DATABASE_URL=empty_database, DJANGO_SUPERUSER_USERNAME="admin")

    assert "manage.py migrate" in one_line(answer)


@pytest.mark.parametrize("arguments", [("showmigrations",), ("capture", "help")])
def test_embedded_server_that_is_not_available_is_one_line(clone: Path, arguments: tuple[str, ...]) -> None:
    (clone / "var").write_text("a file stands where the folder should be")

    answer = manage(*arguments, project=clone)

    assert f"{clone}/var/postgres cannot be written" in one_line(answer)


def test_traceback_is_shown_on_request() -> None:
    answer = manage("showmigrations", "--traceback", DATABASE_URL=NOWHERE)

    assert "Traceback (most recent call last)" in answer.stderr


def test_python_without_django_gets_advice() -> None:
    answer = subprocess.run(
        [sys.executable, "-S", "manage.py", "migrate"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert "make setup" in one_line(answer)


def test_line_of_dotenv_that_cannot_be_read_is_one_line(clone: Path) -> None:
    (clone / ".env").write_text("# The database\nDATABASE_URL: canary\n")

    answer = manage("showmigrations", project=clone)

    assert one_line(answer) == f"Line 2 of {clone}/.env cannot be read. Write NAME=value on one line.\n"

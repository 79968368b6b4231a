"""The web server does not start with unsafe settings."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.waiting import PATIENCE_SECONDS

PROJECT = Path(settings.BASE_DIR)
KEY = "a key for this test only, as long as check --deploy would have it"
EXAMPLE = PROJECT / "docs" / "production.env"
PRODUCTION = {"LITEVAULT_SECRET_KEY": KEY, "LITEVAULT_ALLOWED_HOSTS": "vault.example.com"}
DEVELOPMENT_KEY = "development-only, never used when LITEVAULT_DEBUG is off"


def python(*arguments: str, stdin: str = "", **environment: str) -> Any:
    base = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=base | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def start(**environment: str) -> Any:
    return python("-c", "import litevault.wsgi", **environment)


def test_production_settings_start() -> None:
    ended = start(**PRODUCTION)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("hosts", ["", "localhost,127.0.0.1"])
def test_debug_mode_starts_on_localhost(hosts: str) -> None:
    ended = start(LITEVAULT_DEBUG="true", LITEVAULT_ALLOWED_HOSTS=hosts)

    assert ended.returncode == 0, ended.stderr


LEFTOVERS = [
    ({"LITEVAULT_DEBUG": "true"}, "Debug mode shows details of errors"),
    ({"LITEVAULT_DEBUG": "true", "LITEVAULT_ALLOWED_HOSTS": "*"}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
    ({"LITEVAULT_ALLOWED_HOSTS": "vault.example.com,*"}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
    ({"LITEVAULT_ALLOWED_HOSTS": ""}, "Set LITEVAULT_ALLOWED_HOSTS"),
    ({"LITEVAULT_SECRET_KEY": ""}, "Set LITEVAULT_SECRET_KEY to a long random text"),
    ({"LITEVAULT_SECRET_KEY": "changeme"}, "LITEVAULT_SECRET_KEY can be guessed"),
    ({"LITEVAULT_SECRET_KEY": "ab" * 40}, "LITEVAULT_SECRET_KEY can be guessed"),
    ({"LITEVAULT_SECRET_KEY": DEVELOPMENT_KEY}, "LITEVAULT_SECRET_KEY can be guessed"),
]
# Start the web server once for each environment, in forks of a process that has imported the libraries.
STARTS = """
import json, os, sys
import django.core.wsgi, django.db.models, psycopg, structlog

for environment in json.load(sys.stdin):
    if not os.fork():
        os.environ.update(environment)
        try:
            import litevault.wsgi
        except BaseException as error:
            print(json.dumps(str(error)), flush=True)
        else:
            print(json.dumps(None), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def refusals() -> dict[str, str | None]:
    """By leftover, what the web server says when it refuses to start; None where it starts."""
    environments = [PRODUCTION | leftover for leftover, _ in LEFTOVERS]
    ended = python("-c", STARTS, stdin=json.dumps(environments))
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(said) == len(LEFTOVERS), ended.stderr
    return {str(leftover): answer for (leftover, _), answer in zip(LEFTOVERS, said, strict=True)}


@pytest.mark.parametrize(("leftover", "sentence"), LEFTOVERS, ids=str)
def test_unsafe_setting_stops_the_start(
    refusals: dict[str, str | None], leftover: dict[str, str], sentence: str
) -> None:
    refusal = refusals[str(leftover)]

    assert refusal
    assert sentence in refusal
    assert leftover.get("LITEVAULT_SECRET_KEY") not in refusal.split()


def test_all_unsafe_settings_are_reported_at_once() -> None:
    ended = start(LITEVAULT_ALLOWED_HOSTS="*", LITEVAULT_SECRET_KEY="changeme")

    assert "must not be *" in ended.stderr
    assert "can be guessed" in ended.stderr


def test_production_example_with_a_key_passes_djangos_checks() -> None:
    example = values_of(EXAMPLE) | {"LITEVAULT_SECRET_KEY": KEY}

    ended = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **example)

    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout + ended.stderr


def test_production_example_without_a_key_does_not_start() -> None:
    ended = python("manage.py", "check", "--deploy", **values_of(EXAMPLE))

    assert ended.returncode != 0
    assert "Set LITEVAULT_SECRET_KEY" in ended.stderr


def test_debug_mode_fails_the_check_for_deployment() -> None:
    ended = python("manage.py", "check", "--deploy", LITEVAULT_DEBUG="true")

    assert ended.returncode != 0
    assert "LITEVAULT_DEBUG must not be true" in ended.stderr


def values_of(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_browsers_remember_that_production_speaks_https() -> None:
    program = "import django; django.setup(); from django.conf import settings as s; print(s.SECURE_HSTS_SECONDS)"

    ended = python("-c", program, DJANGO_SETTINGS_MODULE="litevault.settings", **PRODUCTION)

    assert int(ended.stdout) >= 30 * 24 * 3600

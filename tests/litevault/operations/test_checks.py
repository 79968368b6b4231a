"""The web server does not start with unsafe settings."""

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


def python(*arguments: str, **environment: str) -> Any:
    base = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=base | environment,
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


@pytest.mark.parametrize(
    ("leftover", "sentence"),
    [
        ({"LITEVAULT_DEBUG": "true"}, "Debug mode lets clients act as any user"),
        ({"LITEVAULT_DEBUG": "true", "LITEVAULT_ALLOWED_HOSTS": "*"}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
        ({"LITEVAULT_ALLOWED_HOSTS": "vault.example.com,*"}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
        ({"LITEVAULT_ALLOWED_HOSTS": ""}, "Set LITEVAULT_ALLOWED_HOSTS"),
        ({"LITEVAULT_SECRET_KEY": ""}, "Set LITEVAULT_SECRET_KEY to a long random text"),
        ({"LITEVAULT_SECRET_KEY": "changeme"}, "LITEVAULT_SECRET_KEY can be guessed"),
        ({"LITEVAULT_SECRET_KEY": "ab" * 40}, "LITEVAULT_SECRET_KEY can be guessed"),
        ({"LITEVAULT_SECRET_KEY": DEVELOPMENT_KEY}, "LITEVAULT_SECRET_KEY can be guessed"),
    ],
    ids=str,
)
def test_unsafe_setting_stops_the_start(leftover: dict[str, str], sentence: str) -> None:
    ended = start(**PRODUCTION | leftover)

    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert leftover.get("LITEVAULT_SECRET_KEY") not in ended.stderr.split()


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


def values_of(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_browsers_remember_that_production_speaks_https() -> None:
    program = "import django; django.setup(); from django.conf import settings as s; print(s.SECURE_HSTS_SECONDS)"

    ended = python("-c", program, DJANGO_SETTINGS_MODULE="litevault.settings", **PRODUCTION)

    assert int(ended.stdout) >= 30 * 24 * 3600

"""The settings: their three lists agree, and what is wrong with one is said in one sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from enrichment.config import EnrichSettings, LLMSettings
from litevault.environment import PLAIN_NAMES

PROJECT = Path(settings.BASE_DIR)
NAMES = (
    PLAIN_NAMES | {"DATABASE_URL"} | {name for group in (LLMSettings, EnrichSettings) for _, name in group.variables()}
)


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_example_file_has_every_setting_and_no_other() -> None:
    lines = (PROJECT / ".env.example").read_text().splitlines()

    assert {line.partition("=")[0] for line in lines if line and not line.startswith("#")} == NAMES


def test_readme_table_has_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `((?:LITEVAULT_|DATABASE_)[A-Z_]+)` \|", (PROJECT / "README.md").read_text(), re.MULTILINE)

    assert len(rows) == len(set(rows))
    assert set(rows) == NAMES


def test_defaults_are_the_same_in_code_and_example() -> None:
    example = dict(
        line.split("=", 1)
        for line in (PROJECT / ".env.example").read_text().splitlines()
        if line.startswith(("LITEVAULT_LLM_", "LITEVAULT_ENRICH_"))
    )

    assert LLMSettings.from_environment(example) == LLMSettings()
    assert EnrichSettings.from_environment(example) == EnrichSettings()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LITEVAULT_DEBUG", "maybe", "LITEVAULT_DEBUG must be true or false."),
        ("LITEVAULT_LOG_FORMAT", "xml", "LITEVAULT_LOG_FORMAT must be one of json, console."),
        ("LITEVAULT_LOG_LEVEL", "LOUD", "LITEVAULT_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR."),
        ("LITEVAULT_ENRICH_LEASE_SECONDS", "0", "LITEVAULT_ENRICH_LEASE_SECONDS must be a number from 1 to 3600"),
        (
            "LITEVAULT_THROTTLE_PER_MINUTE",
            "-1",
            "LITEVAULT_THROTTLE_PER_MINUTE must be a whole number from 0 to 1000000",
        ),
        ("LITEVAULT_THROTTLE_PER_MINUTE", "1e3", "LITEVAULT_THROTTLE_PER_MINUTE must be a whole number from 0 to"),
        ("LITEVAULT_THROTTLE_PER_MINUTE", "1000001", "LITEVAULT_THROTTLE_PER_MINUTE must be a whole number from 0 to"),
        ("LITEVAULT_SECRETKEY", "x", "Unknown setting LITEVAULT_SECRETKEY."),
    ],
)
def test_wrong_setting_stops_the_start_with_one_sentence(name: str, value: str, sentence: str) -> None:
    ended = load(**{name: value})

    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_commands_need_no_secret_key_but_the_web_server_does() -> None:
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}

    command = load()
    web = subprocess.run(
        [sys.executable, "-c", "import litevault.wsgi"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert command.returncode == 0, command.stderr
    assert web.returncode != 0
    assert "Set LITEVAULT_SECRET_KEY to a long random text" in web.stderr

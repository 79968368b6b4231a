"""The settings: declared once, documented from the declaration, refused with one sentence."""

import json
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from litevault.settings import reference
from litevault.settings.declaration import SETTINGS, Setting, database_config, read
from tests.waiting import PATIENCE_SECONDS

PROJECT = Path(settings.BASE_DIR)
NAMES = [setting.name for setting in SETTINGS]
CANARY = "postgresql://canary:secret@host/name"


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_every_setting_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert all(re.fullmatch(r"[^|]+\.", setting.sentence) for setting in SETTINGS)


@pytest.mark.parametrize(
    ("path", "text"),
    [(reference.EXAMPLE, reference.example()), (reference.PAGE, reference.page())],
    ids=["env", "page"],
)
def test_files_are_as_the_declaration_gives_them(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "Run: python -m litevault.settings.reference --write"


def test_example_file_sets_every_setting_to_its_default() -> None:
    lines = [line for line in reference.EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    example = dict(line.split("=", 1) for line in lines)

    assert list(example) == NAMES
    assert read(example) == read({})


def test_docs_name_only_settings_that_exist() -> None:
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]

    named = {name for page in pages for name in re.findall(r"\bLITEVAULT_[A-Z_]+\b", page.read_text())}

    assert len(named) > 20
    assert {name.removesuffix("_FILE") for name in named} <= set(NAMES)


@pytest.mark.parametrize(
    ("name", "field", "default"),
    [
        ("LITEVAULT_PROXIES", "proxies", (1, 0)),
        ("LITEVAULT_LOG_FORMAT", "log_format", ("json", "console")),
    ],
)
def test_some_defaults_differ_in_development(name: str, field: str, *, default: tuple[object, object]) -> None:
    (production, *_), (development, *_) = read({name: ""}), read({"LITEVAULT_DEBUG": "true"})

    assert (getattr(production, field), getattr(development, field)) == default


def test_provider_is_the_stub_in_development_unless_set() -> None:
    development = {"LITEVAULT_DEBUG": "true"}

    assert [read(environment)[1].provider for environment in ({}, development)] == ["litellm", "stub"]
    assert read(development | {"LITEVAULT_LLM_PROVIDER": "litellm"})[1].provider == "litellm"


@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"])
def test_lists_are_stripped_of_blanks(name: str) -> None:
    project, _, _ = read({f"LITEVAULT_{name}": " https://a.example, https://b.example,, "})

    assert getattr(project, name.lower()) == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("word", "is_on"),
    [
        ("true", True),
        ("True", True),
        ("1", True),
        ("on", True),
        ("yes", True),
        (" ", False),
        ("0", False),
        ("no", False),
    ],
)
def test_words_for_true_and_false(word: str, *, is_on: bool) -> None:
    assert read({"LITEVAULT_DEBUG": word})[0].debug is is_on


@pytest.mark.parametrize(
    ("name", "value", "accepts"),
    [
        ("LITEVAULT_DEBUG", "maybe", "true or false"),
        ("LITEVAULT_LOG_FORMAT", "xml", "one of json, console"),
        ("LITEVAULT_LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
        ("LITEVAULT_ENRICH_LEASE_SECONDS", "0", "a number from 1 to 3600"),
        ("LITEVAULT_THROTTLE_PER_MINUTE", "-1", "a whole number from 0 to 1000000"),
        ("LITEVAULT_THROTTLE_PER_MINUTE", "1e3", "a whole number from 0 to 1000000"),
        ("LITEVAULT_THROTTLE_PER_MINUTE", "1000001", "a whole number from 0 to 1000000"),
        (
            "LITEVAULT_CSRF_TRUSTED_ORIGINS",
            "a.example",
            "a value like https://vault.example.com, https://www.example.com",
        ),
        ("DATABASE_URL", "mysql://canary:secret@host/name", "a value like postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "canary", "a value like postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://canary:secret@host", "a value like postgresql://user:password@host:5432/name"),
        (
            "DATABASE_URL",
            "postgresql://canary:sec:ret@host:port/name",
            "a value like postgresql://user:password@host:5432/name",
        ),
        ("LITEVAULT_LISTEN_DATABASE_URL", "canary secret", "a value like postgresql://user:password@host:5432/name"),
    ],
)
def test_wrong_value_is_refused_by_name_and_range_unquoted(name: str, value: str, *, accepts: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read({name: value})

    assert str(refused.value) == f"{name} must be {accepts}."
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        CANARY.replace("postgresql", "postgres"),
        "postgresql://user@first:5432,second:5433/name?target_session_attrs=read-write",
        "postgresql:///?service=vault",
    ],
)
def test_addresses_of_postgresql_are_accepted(url: str) -> None:
    project, _, _ = read({"DATABASE_URL": url, "LITEVAULT_LISTEN_DATABASE_URL": url})

    assert project.database_url.get_secret_value() == url
    assert "canary" not in repr(project)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://user:pass@%2Frun%2Fpostgresql/name", "/run/postgresql", ""),
        ("postgresql:///name?host=/run/postgresql", "/run/postgresql", ""),
        ("postgresql://user@[::1]:5432,[fd00::2]:5433/name", "::1,fd00::2", "5432,5433"),
        ("postgresql://user@[::1]/name", "::1", ""),
        ("postgresql://first,second:5433/name", "first,second", ",5433"),
        ("psql://user@host/name", "host", ""),
    ],
)
def test_hosts_are_read_as_libpq_reads_them(url: str, host: str, port: str) -> None:
    config = database_config(url)

    assert (config["HOST"], config["PORT"], config["NAME"]) == (host, port, "name")
    if not url.startswith("psql"):
        read({"LITEVAULT_LISTEN_DATABASE_URL": url})


def test_parts_of_an_address_are_decoded() -> None:
    config = database_config("postgresql://us%40er:p%2F%3A%25[]?#@host:1/na%20me?sslmode=require&connect_timeout=7")

    assert (config["USER"], config["PASSWORD"], config["NAME"]) == ("us@er", "p/:%[]?#", "na me")
    assert config["OPTIONS"] == {"sslmode": "require", "connect_timeout": "7"}


@pytest.mark.parametrize("name", ["DATABASE_URL", "LITEVAULT_LISTEN_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:canary@[::1/name",
        "postgresql://user:x/canary@host/name",
        "postgresql://user:canary@host:54x2/name",
        "postgresql://user:canary@host:canary/name",
        "postgresql://user:can%zzary@host/name",
        "postgresql://user:x@canary@host/name",
        "postgresql://user:x@host/name?canary",
        "postgresql://user:x@host/name?canary=1",
        "postgresql://user:canary@host:5432,second:x/name",
    ],
)
def test_malformed_address_is_not_shown(name: str, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read({name: url})

    assert "canary" not in "".join(traceback.format_exception(refused.value))
    assert "canary" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.is_secret], ids=lambda it: it.name)
def test_secret_is_read_from_a_file(tmp_path: Path, setting: Setting) -> None:
    file = tmp_path / "secret"
    file.write_text(f"\n  {CANARY} \n")

    project, _, _ = read({"LITEVAULT_DEBUG": "true", setting.file_name: f" {file} ", setting.name: ""})

    assert getattr(project, setting.field).get_secret_value() == CANARY


def test_every_secret_can_be_read_from_a_file() -> None:
    assert {setting.file_name for setting in SETTINGS if setting.is_secret} == {
        "DATABASE_URL_FILE",
        "LITEVAULT_LISTEN_DATABASE_URL_FILE",
        "LITEVAULT_SECRET_KEY_FILE",
    }


def test_secret_and_its_file_are_refused_together(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read({"DATABASE_URL": CANARY, "DATABASE_URL_FILE": str(tmp_path / "canary")})

    assert str(refused.value) == "DATABASE_URL and DATABASE_URL_FILE are both set. Unset one of them."


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff"], ids=["missing", "empty", "blank", "not text"])
def test_unreadable_secret_file_is_refused_by_variable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "canary"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ImproperlyConfigured) as refused:
        read({"LITEVAULT_SECRET_KEY_FILE": str(file)})

    assert str(refused.value) == "LITEVAULT_SECRET_KEY_FILE must be the path of a readable text file, not empty."
    assert refused.value.__context__ is None


def test_wrong_value_in_a_file_is_refused_unquoted(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("mysql://canary:secret@host/name")

    with pytest.raises(ImproperlyConfigured) as refused:
        read({"DATABASE_URL_FILE": str(file)})

    assert str(refused.value) == "DATABASE_URL must be a value like postgresql://user:password@host:5432/name."


@pytest.mark.parametrize("name", ["LITEVAULT_SECRETKEY", "litevault_debug", "LITEVAULT_LOG_LEVEL_FILE"])
def test_unknown_name_is_refused_in_development(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"Unknown setting {name}"):
        read({"LITEVAULT_DEBUG": "true", name: "x"})


@pytest.mark.thorough
def test_unknown_name_is_warned_of_in_production() -> None:
    ended = python("manage.py", "check", LITEVAULT_SECRETKEY="canary")

    assert ended.returncode == 0, ended.stderr
    (warning,) = [json.loads(line) for line in ended.stderr.splitlines() if "setting.ignored" in line]
    assert (warning["level"], warning["setting"]) == ("warning", "LITEVAULT_SECRETKEY")
    assert "canary" not in ended.stderr


def test_wrong_database_address_stops_the_start_unquoted() -> None:
    ended = python("manage.py", "check", DATABASE_URL="mysql://canary:canary@host/name")

    assert ended.returncode == 1
    assert ended.stderr == "DATABASE_URL must be a value like postgresql://user:password@host:5432/name.\n"


def test_commands_need_no_secret_key_but_the_web_server_does() -> None:
    command = python("manage.py", "check")
    web = python("-c", "import litevault.wsgi")

    assert command.returncode == 0, command.stderr
    assert web.returncode != 0
    assert "Set LITEVAULT_SECRET_KEY to a long random text" in web.stderr

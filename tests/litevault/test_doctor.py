"""What the doctor finds, with a real database and a real fake model."""

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from enrichment.config import LLMSettings
from enrichment.listener import listen_conninfo
from items.queue import LISTENER_NAME
from items.states import Outcome, Status
from litevault.doctor import database, queue
from litevault.doctor.settings import without_password
from litevault.settings import BASE_DIR
from tests.enrichment.fake_llm_server import serving
from tests.faults.pgbouncer import PROGRAM as PGBOUNCER
from tests.faults.pgbouncer import running_pgbouncer
from tests.items.factories import make_attempt, make_item
from tests.items.other_connection import other_connection

pytestmark = pytest.mark.django_db(transaction=True)


def examined(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def a_listener() -> object:
    with psycopg.connect(listen_conninfo(), application_name=LISTENER_NAME) as connected:
        yield connected


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "staticfiles.json").write_text("{}")
    return folder


@pytest.fixture
def stub(settings: object, collected: Path) -> None:
    settings.SECRET_KEY_IS_TEMPORARY = False  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["vault.example.com"]  # type: ignore[attr-defined]
    settings.LLM = LLMSettings(provider="stub")  # type: ignore[attr-defined]
    settings.DEBUG = False  # type: ignore[attr-defined]
    settings.SECRET_KEY = "for these tests only, 50 characters long, and mixed"  # type: ignore[attr-defined]
    settings.STATIC_ROOT = collected  # type: ignore[attr-defined]


def test_all_is_well(a_listener: object, stub: None) -> None:
    code, said = examined()

    assert code == 0, said
    assert "All is well." in said
    assert "a notification arrives in" in said


def test_missing_secret_key_is_told(a_listener: object, stub: None, settings: object) -> None:
    settings.SECRET_KEY_IS_TEMPORARY = True  # type: ignore[attr-defined]

    code, said = examined()

    assert code == 1
    assert "Set LITEVAULT_SECRET_KEY" in said


def test_failures_of_the_last_hour_are_told_whatever_this_process_would_do(
    a_listener: object, stub: None, django_user_model: type
) -> None:
    owner = django_user_model.objects.create_user("owner")  # type: ignore[attr-defined]
    make_attempt(make_item(owner, status=Status.FAILED), outcome=Outcome.FAILED)

    code, said = examined()

    assert code == 1
    assert "in the last hour: 1 LLM_TIMEOUT" in said


def test_missing_listener_is_told_with_what_to_do(stub: None) -> None:
    code, said = examined()

    assert code == 1
    assert "none is alive" in said
    assert "manage.py enrich_listener" in said


def test_missing_trigger_is_told_and_the_advice_cures_it(a_listener: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER items_notify_insert ON items")
    ill = examined()

    call_command("migrate", "items", "0001", verbosity=0)
    call_command("migrate", verbosity=0)

    assert ill[0] == 1
    assert "manage.py migrate items 0001 && manage.py migrate" in ill[1]
    assert examined()[0] == 0


def test_items_that_wait_for_too_long_are_told(a_listener: object, stub: None, django_user_model: type) -> None:
    owner = django_user_model.objects.create_user("owner")  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO items (owner_id, raw_text, available_at) VALUES (%s, 'x', now() - interval '1 hour')",
            [owner.pk],
        )

    code, said = examined()

    assert code == 1
    assert "1 enriching, 0 of them in flight, 3600 s the longest overdue" in said


def test_model_that_refuses_is_told_without_its_key(
    a_listener: object, stub: None, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with serving("status_401") as model:
        settings.LLM = LLMSettings(api_base=model.url)  # type: ignore[attr-defined]

        code, said = examined()

    assert code == 1
    assert "LLM_API_ERROR" in said
    assert "OPENAI_API_KEY" in said
    assert "sk-canary" not in said


def test_model_that_answers_is_told(
    a_listener: object, stub: None, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with serving("ok") as model:
        settings.LLM = LLMSettings(api_base=model.url)  # type: ignore[attr-defined]

        code, said = examined()
        calls = len(model.calls)
        examined("--no-model")

        assert len(model.calls) == calls == 1
    assert code == 0, said
    assert "openai/gpt-4o-mini answers in" in said


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://user:pa:ss@w@host:5432/name", "postgresql://user:***@host:5432/name"),
        ("postgresql://user@host/name?password=secret&x=1", "postgresql://user@host/name?password=***&x=1"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("", ""),
    ],
)
def test_passwords_in_addresses_are_blanked(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_unapplied_migration_is_told_and_the_advice_cures_it(a_listener: object, stub: None) -> None:
    call_command("migrate", "items", "0002", verbosity=0)
    ill = examined()

    call_command("migrate", verbosity=0)

    assert ill[0] == 1
    assert "wrong migrations" in ill[1]
    assert "Run: manage.py migrate" in ill[1]
    assert examined()[0] == 0


def test_disabled_trigger_is_told(a_listener: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE items DISABLE TRIGGER items_notify_insert")

    code, said = examined()

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE items ENABLE TRIGGER items_notify_insert")
    assert code == 1
    assert "wrong triggers" in said


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ALLOWED_HOSTS": ["*"]}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
        ({"ALLOWED_HOSTS": []}, "Set LITEVAULT_ALLOWED_HOSTS"),
        ({"SECRET_KEY": "guess me"}, "LITEVAULT_SECRET_KEY can be guessed"),
        ({"DEBUG": True}, "LITEVAULT_DEBUG is true"),
    ],
)
def test_what_is_left_over_from_development_is_told(
    a_listener: object, stub: None, settings: Settings, values: dict[str, object], sentence: str
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)

    code, said = examined()

    assert code == 1
    assert sentence in said


def test_missing_static_files_are_told_and_the_advice_cures_it(
    a_listener: object, stub: None, settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    ill = examined()

    call_command("collectstatic", interactive=False, verbosity=0)

    assert ill[0] == 1
    assert "Run: manage.py collectstatic --noinput" in ill[1]
    assert examined()[0] == 0


@pytest.mark.skipif(not PGBOUNCER, reason="PgBouncer is not installed")
def test_pooler_that_swallows_notifications_is_told(
    a_listener: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LISTEN_DEADLINE_SECONDS", 1.0)
    with running_pgbouncer() as pooler:
        settings.LISTEN_DATABASE_URL = pooler.url

        code, said = examined()

    assert code == 1
    assert "wrong LISTEN" in said
    assert "Set LITEVAULT_LISTEN_DATABASE_URL" in said


def test_clock_that_goes_wrong_is_told(a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: ours() - timedelta(minutes=1))

    code, said = examined()

    assert code == 1
    assert "is 60 s away from the database's" in said


def test_database_that_takes_no_changes_is_told(a_listener: object, stub: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")

    try:
        code, said = examined()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")

    assert code == 1
    assert "Set DATABASE_URL to the primary" in said


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MOST_USUAL_CONNECTIONS_SHARE", 0.0, "in use\n        Raise max_connections"),
        ("VERSIONS", range(90, 91), "LiteVault is tested with PostgreSQL 15 to 18"),
    ],
)
def test_limits_of_the_server_are_told(
    a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch, limit: str, value: object, says: str
) -> None:
    monkeypatch.setattr(database, limit, value)

    code, said = examined()

    assert code == 1
    assert says in said


def test_transaction_that_stays_open_is_told_with_its_process(
    a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LONGEST_USUAL_TRANSACTION_SECONDS", 0)
    with other_connection(autocommit=False) as other:
        (pid,) = other.execute("SELECT pg_backend_pid()").fetchone() or (None,)

        code, said = examined()

    assert code == 1
    assert f"SELECT pg_terminate_backend({pid})" in said


def test_notification_queue_that_fills_up_is_told(
    a_listener: object, stub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_USUAL_QUEUE_SHARE", 0.0)

    code, said = examined()

    assert code == 1
    assert "A session that listens has a transaction open for long" in said


def test_database_that_does_not_answer_is_told(stub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    connection.close()

    code, said = examined()

    assert code == 1
    assert "Check DATABASE_URL, and that PostgreSQL runs." in said


def test_model_without_a_key_is_told(
    a_listener: object, stub: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.LLM = LLMSettings(provider="litellm")

    code, said = examined("--no-model")

    assert code == 1
    assert "OPENAI_API_KEY" in said


def test_page_for_operators_has_every_subject_and_no_other(a_listener: object, stub: None) -> None:
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    section = page.partition("## What the doctor finds")[2].partition("\n## ")[0]
    in_page = re.findall(r"^\| `([A-Za-z ]+)` \|", section, re.MULTILINE)

    _, said = examined()

    found = re.findall(r"^  (?:ok   |wrong) (.{12}) ", said, re.MULTILINE)
    assert sorted({subject.strip() for subject in found}) == sorted(in_page)

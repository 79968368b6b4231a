"""What the doctor finds, with a real database and a real fake model."""

from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from enrichment.config import LLMSettings
from enrichment.listener import listen_conninfo
from items.queue import LISTENER_NAME
from items.states import Outcome, Status
from litevault.doctor import without_password
from tests.enrichment.fake_llm_server import serving
from tests.items.factories import make_attempt, make_item

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
def stub(settings: object) -> None:
    settings.SECRET_KEY_IS_TEMPORARY = False  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["vault.example.com"]  # type: ignore[attr-defined]
    settings.LLM = LLMSettings(provider="stub")  # type: ignore[attr-defined]


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

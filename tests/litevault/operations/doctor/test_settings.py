"""The settings that the doctor prints."""

import pytest
from pytest_django import Settings

from litevault.operations.doctor.settings import settings_in_force, without_password
from litevault.settings.declaration import SETTINGS, read

SECRETS = {
    "DATABASE_URL": "postgresql://user:canary@host:5432/name",
    "LITEVAULT_LISTEN_DATABASE_URL": "host=first password = 'canary canary' user=x",
    "LITEVAULT_SECRET_KEY": "canary://canary",
    "LITEVAULT_LLM_API_BASE": "http://user:canary@127.0.0.1:11434/v1",
}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://user:pa:ss@w@host:5432/name", "postgresql://user:***@host:5432/name"),
        ("postgresql://user@host/name?password=secret&x=1", "postgresql://user@host/name?password=***&x=1"),
        ("host=a password='se cr\\'et' user=b", "host=a password=*** user=b"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("https://sk-abc@gateway/v1", "https://***@gateway/v1"),
        ("HTTPS://user:sk/a@bc@gateway:8443/v1", "HTTPS://***@gateway:8443/v1"),
        ("https://gateway/v1?api_key=abc&version=2", "https://gateway/v1?***"),
        ("https://sk-abc@gateway/v1?api_key=abc#def", "https://***@gateway/v1?***"),
        ("https://gateway/v1?key=a@bc", "https://***"),
        ("https://user:ab?c@gateway/v1", "https://***"),
        ("https://gateway/v1#abc", "https://gateway/v1#***"),
        ("https://a.example,https://b.example", "https://a.example,https://b.example"),
        ("", ""),
    ],
)
def test_passwords_in_addresses_are_blanked(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_every_setting_is_shown_without_secrets(settings: Settings) -> None:
    settings.PROJECT, settings.LLM, settings.ENRICH = read(
        SECRETS | {"LITEVAULT_ALLOWED_HOSTS": "a.example, b.example"}
    )

    shown = dict(settings_in_force())

    assert {setting.name for setting in SETTINGS} <= set(shown)
    assert "canary" not in str(shown)
    assert shown["DATABASE_URL"] == "postgresql://user:***@host:5432/name"
    assert shown["LITEVAULT_SECRET_KEY"] == "(set)"
    assert shown["LITEVAULT_ALLOWED_HOSTS"] == "a.example,b.example"
    assert shown["LITEVAULT_PG_BIN"] == "(not set)"


def test_unknown_name_is_shown_as_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEVAULT_SECRETKEY", "canary")

    assert dict(settings_in_force())["LITEVAULT_SECRETKEY"].startswith(
        "(ignored: unknown setting. Did you mean LITEVAULT_SECRET_KEY or "
    )

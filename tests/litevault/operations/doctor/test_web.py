"""Checks of the web server."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from litevault import dotenv
from tests.litevault.operations.doctor.command import run_doctor

pytestmark = pytest.mark.django_db(transaction=True)


def test_missing_secret_key_is_reported(listener_connection: object, stub: None, settings: Settings) -> None:
    settings.SECRET_KEY_IS_TEMPORARY = True

    code, output = run_doctor()

    assert code == 1
    assert "Set LITEVAULT_SECRET_KEY" in output


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ALLOWED_HOSTS": ["*"]}, "LITEVAULT_ALLOWED_HOSTS must not be *"),
        ({"ALLOWED_HOSTS": []}, "Set LITEVAULT_ALLOWED_HOSTS"),
        ({"SECRET_KEY": "guess me"}, "LITEVAULT_SECRET_KEY can be guessed"),
        ({"DEBUG": True}, "LITEVAULT_DEBUG is true"),
    ],
)
def test_unsafe_setting_is_reported(
    listener_connection: object, stub: None, settings: Settings, values: dict[str, object], sentence: str
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)

    code, output = run_doctor()

    assert code == 1
    assert sentence in output


@pytest.mark.thorough
def test_advice_for_missing_static_files_works(
    listener_connection: object, stub: None, settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    before = run_doctor()

    call_command("collectstatic", interactive=False, verbosity=0)

    assert before[0] == 1
    assert "Run: manage.py collectstatic --noinput" in before[1]
    assert run_doctor()[0] == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_dotenv_that_others_may_open_is_reported(
    listener_connection: object, stub: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
) -> None:
    file = tmp_path / ".env"
    file.touch()
    monkeypatch.setattr(dotenv, "DOTENV", file)
    file.chmod(0o600)
    private = run_doctor()

    file.chmod(mode)
    code, output = run_doctor()

    assert private[0] == 0
    assert code == 1
    assert f"Run: chmod 600 {file}" in output

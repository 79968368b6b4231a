"""The superuser that `manage.py up` creates for development."""

import re
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from litevault.development.management.commands import up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "var" / "admin-password"
    monkeypatch.setattr(up, "PASSWORD_FILE", file)
    return file


def shown_password() -> str:
    found = re.search(r"password (\S+)\)", up.admin_login())
    assert found
    return found[1]


def test_shown_password_opens_the_admin() -> None:
    user = authenticate(username="admin", password=shown_password())

    assert user
    assert user.is_superuser


def test_every_start_shows_the_same_password() -> None:
    assert shown_password() == shown_password()


def test_password_file_is_private(password_file: Path) -> None:
    up.admin_login()

    assert password_file.stat().st_mode & 0o077 == 0


def test_empty_file_of_a_killed_start_is_replaced(password_file: Path) -> None:
    password_file.parent.mkdir()
    password_file.touch()

    assert shown_password() == password_file.read_text() != ""


def test_password_that_was_changed_is_not_shown(password_file: Path) -> None:
    up.admin_login()
    admin = User.objects.get(username="admin")
    admin.set_password("my own choice")
    admin.save()

    login = up.admin_login()

    assert login == "  (user admin, with the password you gave it)"
    assert password_file.read_text() not in login


def test_admin_of_another_checkout_keeps_its_password(password_file: Path) -> None:
    User.objects.create_superuser("admin", password="made elsewhere")

    assert "with the password you gave it" in up.admin_login()
    assert not password_file.exists()

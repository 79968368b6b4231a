"""The owner of captured items."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from pytest_django import Settings

from items.models import Item
from tests.items.transfer.commands import capture


@pytest.mark.django_db
def test_default_owner_is_created_once(file: Path) -> None:
    capture(file)
    capture(file)

    demo = User.objects.get()
    assert demo.username == "demo"
    assert not demo.has_usable_password()
    assert demo.items.count() == 2


@pytest.mark.django_db
def test_other_owner_must_exist(file: Path) -> None:
    with pytest.raises(CommandError, match="There is no user nobody"):
        capture(file, "--owner", "nobody")

    assert not User.objects.exists()


@pytest.mark.django_db
def test_other_owner_is_created_in_development(file: Path, settings: Settings) -> None:
    settings.DEBUG = True

    capture(file, "--owner", "anybody")

    assert Item.objects.get().owner.username == "anybody"


def test_inactive_owner_is_refused(owner: User, file: Path) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="not active"):
        capture(file, "--owner", "owner")

    assert not Item.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "\udcff"])
def test_invalid_owner_name_is_refused(file: Path, settings: Settings, name: str) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match="1 to 150 characters"):
        capture(file, f"--owner={name}")

"""A reviewer may change items, a viewer may only look, and neither is a superuser."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


def staff_client(username: str, *codenames: str) -> Client:
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reviewer(db: None) -> Client:
    return staff_client("reviewer", "view_item", "change_item")


@pytest.fixture
def viewer(db: None) -> Client:
    return staff_client("viewer", "view_item")

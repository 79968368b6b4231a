"""A reviewer may do everything with items, a viewer may only look, and neither is a superuser."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

EVERY_VERB = ("view_item", "change_item", "retry_item", "confirm_item", "discard_item")


def staff_client(username: str, *codenames: str) -> Client:
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reviewer(db: None) -> Client:
    return staff_client("reviewer", *EVERY_VERB)


@pytest.fixture
def viewer(db: None) -> Client:
    return staff_client("viewer", "view_item")

"""What the sweep checks about the credentials of open streams."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from litevault.accounts.models import ApiToken
from litevault.events.credentials import Credentials, valid_credentials
from litevault.events.views import VIEW_ALL_ITEMS

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(owner: User) -> Client:
    owner.user_permissions.set(Permission.objects.filter(codename="view_item"))
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def opened(browser: Client, owner: User) -> Credentials:
    """A stream of a session that requires a permission."""
    session = browser.session
    return Credentials(
        owner_id=owner.pk,
        session_key=session.session_key,
        session_hash=session["_auth_user_hash"],
        permission=VIEW_ALL_ITEMS,
    )


@pytest.fixture
def by_token(stranger: User) -> Credentials:
    token, _ = ApiToken.objects.issue(user=stranger, name="laptop")
    return Credentials(owner_id=stranger.pk, token_id=token.pk)


def change_password(owner: User) -> None:
    owner.set_password("staple of another kind")
    owner.save()


def keep_the_right_by_group(owner: User) -> None:
    group = Group.objects.create(name="readers")
    group.permissions.set(owner.user_permissions.all())
    owner.groups.add(group)
    owner.user_permissions.clear()


@pytest.mark.parametrize(
    ("change", "is_valid"),
    [
        (lambda _: None, True),
        (change_password, False),
        (lambda owner: owner.user_permissions.clear(), False),
        (keep_the_right_by_group, True),
        (lambda owner: User.objects.filter(pk=owner.pk).update(is_superuser=True), True),
        (lambda owner: User.objects.filter(pk=owner.pk).update(is_active=False), False),
        (lambda _: Session.objects.all().delete(), False),
        (lambda owner: owner.delete(), False),
    ],
    ids=("nothing", "password", "right lost", "right by group", "superuser", "inactive", "logged out", "deleted"),
)
def test_credentials_are_valid_until_this_changes(
    owner: User, opened: Credentials, by_token: Credentials, change: Callable[[User], Any], *, is_valid: bool
) -> None:
    change(owner)

    assert valid_credentials([opened, by_token]) == {by_token} | ({opened} if is_valid else set())


def test_changed_password_keeps_streams_of_tokens(stranger: User, by_token: Credentials) -> None:
    change_password(stranger)

    assert valid_credentials([by_token]) == {by_token}


def test_number_of_streams_does_not_raise_that_of_queries(opened: Credentials) -> None:
    users = [User.objects.create_user(f"user{n}") for n in range(20)]
    streams = [Credentials(owner_id=user.pk, permission=VIEW_ALL_ITEMS) for user in users]

    with CaptureQueriesContext(connection) as queries:
        valid = valid_credentials([opened, *streams])

    assert valid == {opened}
    assert len(queries) <= 4

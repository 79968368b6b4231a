"""What staff who are not superusers may do with users, groups and tokens in the admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from litevault.accounts.models import ApiToken

NEW = "staple of another kind"
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@pytest.fixture
def clerk(db: None) -> Client:
    """Staff with every permission that is not a superuser's privilege."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    return client


def page_of(user: User, page: str = "change") -> str:
    return f"/admin/auth/user/{user.pk}/{page}/"


def form_of(user: User) -> dict[str, str]:
    form = {"username": user.username, "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    return form | {"is_staff": "on", "is_superuser": "on"}


def test_only_superusers_see_the_fields_of_rights(clerk: Client, admin_client: Client, owner: User) -> None:
    Group.objects.create(name="Reviewers")

    seen_by_clerk, seen_by_admin = (client.get(page_of(owner)).text for client in (clerk, admin_client))

    assert [name for name in RIGHTS if f'name="{name}"' in seen_by_clerk] == []
    assert [name for name in RIGHTS if f'name="{name}"' in seen_by_admin] == list(RIGHTS)
    assert "is_superuser" not in clerk.get("/admin/auth/user/").text


def test_rights_are_given_by_checkboxes(admin_client: Client, owner: User) -> None:
    permission = Permission.objects.get(codename="view_item")
    group = Group.objects.create(name="Reviewers")

    rights = {"groups": [group.pk], "user_permissions": [permission.pk]}
    admin_client.post(page_of(owner), {**form_of(owner), **rights})

    page = admin_client.get(page_of(owner)).text
    assert list(owner.user_permissions.all()) == [permission]
    assert list(owner.groups.all()) == [group]
    assert "<legend>Items | item</legend>" in page
    assert f'name="user_permissions" value="{permission.pk}" id=' in page
    assert "selectfilter" not in page


def test_rights_that_staff_send_are_ignored(clerk: Client, owner: User) -> None:
    response = clerk.post(page_of(owner), form_of(owner) | {"first_name": "Olga"})

    owner.refresh_from_db()
    assert response.status_code == 302
    assert (owner.first_name, owner.is_staff, owner.is_superuser) == ("Olga", False, False)


def test_superuser_gives_rights(admin_client: Client, owner: User) -> None:
    admin_client.post(page_of(owner), form_of(owner))

    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser) == (True, True)


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
@pytest.mark.parametrize("page", ["change", "password", "delete"])
def test_staff_cannot_change_other_staff(clerk: Client, rights: dict[str, bool], page: str) -> None:
    other = User.objects.create_user("other", **rights)  # type: ignore[arg-type]  # of UserManager's stubs

    response = clerk.post(page_of(other, page), {"password1": NEW, "password2": NEW, "post": "yes"} | form_of(other))

    assert response.status_code == 403
    assert User.objects.filter(pk=other.pk, password=other.password).exists()


def test_staff_cannot_change_groups(clerk: Client) -> None:
    group = Group.objects.create(name="reviewers")

    statuses = [
        clerk.post(f"/admin/auth/group/{page}", {"name": "x", "post": "yes"}).status_code
        for page in ("add/", f"{group.pk}/change/", f"{group.pk}/delete/")
    ]

    assert statuses == [403] * 3


def test_superuser_changes_groups(admin_client: Client) -> None:
    admin_client.post("/admin/auth/group/add/", {"name": "reviewers"})

    (group,) = Group.objects.filter(name="reviewers")
    admin_client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "editors"})
    admin_client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})

    assert not Group.objects.filter(pk=group.pk).exists()


def test_staff_issue_tokens_for_themselves_only(clerk: Client, owner: User) -> None:
    page = clerk.get("/admin/accounts/apitoken/add/").text

    response = clerk.post("/admin/accounts/apitoken/add/", {"user": owner.username, "name": "laptop"})

    assert 'name="user"' not in page
    assert "The token “laptop” for clerk was created." in response.text
    assert ApiToken.objects.get().user.username == "clerk"


@pytest.mark.parametrize(("fields", "left"), [({}, 1), ({"revoke_tokens": "on"}, 0)])
def test_new_password_of_a_user_revokes_tokens_on_request(
    clerk: Client, owner: User, stranger: User, fields: dict[str, str], left: int
) -> None:
    ApiToken.objects.issue(user=owner, name="laptop")
    ApiToken.objects.issue(user=stranger, name="laptop")
    form = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}

    page = clerk.get(page_of(owner, "password")).text
    response = clerk.post(page_of(owner, "password"), form | fields)

    owner.refresh_from_db()
    assert "Also revoke all API tokens" in page
    assert response.status_code == 302
    assert owner.check_password(NEW)
    assert ApiToken.objects.valid().filter(user=owner).count() == left
    assert ApiToken.objects.valid().filter(user=stranger).exists()

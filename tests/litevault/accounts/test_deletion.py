"""Deletion of users, by command and in the admin."""

import io
import sys

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from items import deletion
from items.models import EnrichmentAttempt, IdempotencyKey, Item
from items.states import Status
from litevault.accounts import user_admin
from litevault.accounts.deletion import delete_user
from litevault.accounts.models import ApiToken
from tests.items.admin.pages import messages
from tests.items.admin.staff import EVERY_VERB, staff_client
from tests.items.factories import make_attempt, make_item

USERS = ("view_user", "change_user", "delete_user")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def belongings(owner: User, stranger: User) -> None:
    """Three items of the owner, with attempts, a token and a key, and one item of a stranger. Only the last stays."""
    for user, statuses in ((owner, (Status.ENRICHING, Status.ARCHIVED, Status.FAILED)), (stranger, (Status.FAILED,))):
        for status in statuses:
            make_attempt(make_item(user, status=status))
        ApiToken.objects.issue(user=user, name="laptop")
        IdempotencyKey.objects.create(owner=user, key="key", fingerprint="", response={})


def assert_only_the_stranger_is_left(stranger: User) -> None:
    assert not User.objects.filter(username="owner").exists()
    assert set(Item.objects.values_list("owner", flat=True)) == {stranger.pk}
    assert EnrichmentAttempt.objects.get().item.owner == stranger
    assert ApiToken.objects.get().user == stranger
    assert IdempotencyKey.objects.get().owner == stranger


def delete_page(user: User) -> str:
    return reverse("admin:auth_user_delete", args=(user.pk,))


def test_command_deletes_a_user(belongings: None, stranger: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("delete_user", "owner", "--yes")

    assert capsys.readouterr().out == "Deleted owner with 3 items and 3 attempts.\n"
    assert_only_the_stranger_is_left(stranger)


@pytest.mark.parametrize("answer", ["owner\n", "stranger\n", "yes\n", "\n"])
def test_command_asks_for_the_name(
    belongings: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    if answer == "owner\n":
        call_command("delete_user", "owner")
    else:
        with pytest.raises(CommandError, match=r"^Nothing was deleted\.$"):
            call_command("delete_user", "owner")

    out = capsys.readouterr().err
    assert "owner has 3 items. To keep a copy, first run: manage.py export_items --owner owner FILE" in out
    assert User.objects.filter(username="owner", is_active=True).exists() == (answer != "owner\n")


def test_command_without_a_terminal_needs_yes(belongings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("owner\n"))

    with pytest.raises(CommandError, match="Add --yes to delete the user without a question"):
        call_command("delete_user", "owner")

    assert Item.objects.filter(owner__username="owner").count() == 3


def test_unknown_user_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match=r"^There is no user nobody\.$"):
        call_command("delete_user", "nobody", "--yes")


def test_deletion_stopped_by_its_limit_continues(
    owner: User, belongings: None, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 1)

    first, is_complete = delete_user(owner, within_seconds=-1)

    assert (first, is_complete) == ((1, 1), False)
    assert not User.objects.get(pk=owner.pk).is_active
    second, is_complete = delete_user(owner)
    assert (second, is_complete) == ((2, 2), True)
    assert_only_the_stranger_is_left(stranger)


def test_admin_counts_what_it_deletes(admin_client: Client, owner: User, belongings: None, stranger: User) -> None:
    page = admin_client.get(delete_page(owner)).text

    assert "<li>Items: 3</li>" in page
    assert "<li>API tokens: 1</li>" in page
    assert "manage.py export_items --owner owner FILE" in page
    assert not any(str(item.pk) in page for item in Item.objects.all())
    answer = admin_client.post(delete_page(owner), {"post": "yes"}, follow=True)
    assert any("was deleted successfully" in message for message in messages(answer.text))
    assert_only_the_stranger_is_left(stranger)


def test_admin_reports_what_remains_at_the_time_limit(
    admin_client: Client, owner: User, belongings: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    monkeypatch.setattr(user_admin, "TIME_LIMIT_SECONDS", -1)

    answer = admin_client.post(delete_page(owner), {"post": "yes"}, follow=True)

    (message,) = messages(answer.text)
    assert message.startswith("Stopped at the time limit, with 2 items remaining. The user owner is inactive.")
    assert Item.objects.owned_by(owner).count() == 2


@pytest.mark.parametrize("missing", ["delete_item", "delete_apitoken"])
def test_admin_needs_permission_for_what_belongs_to_a_user(owner: User, belongings: None, missing: str) -> None:
    client = staff_client("manager", *EVERY_VERB)
    names = {*USERS, "delete_item", "delete_apitoken"} - {missing}
    User.objects.get(username="manager").user_permissions.set(Permission.objects.filter(codename__in=names))

    page = client.get(delete_page(owner)).text
    answer = client.post(delete_page(owner), {"post": "yes"})

    assert "your account doesn’t have permission" in page.replace("&#x27;", "’").replace("'", "’")
    assert answer.status_code == 403
    assert Item.objects.owned_by(owner).count() == 3


def test_admin_deletes_one_user_at_a_time(admin_client: Client, owner: User) -> None:
    assert 'value="delete_selected"' not in admin_client.get(reverse("admin:auth_user_changelist")).text

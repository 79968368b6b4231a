import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, verb
from tests.items.admin.staff import EVERY_VERB
from tests.items.factories import make_item


def member_of(name: str) -> Client:
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client = Client()
    client.force_login(user)
    return client


def codenames_of(name: str) -> set[str]:
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


@pytest.mark.django_db
def test_command_creates_both_groups(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_review_groups")

    assert codenames_of("Reviewers") == set(EVERY_VERB)
    assert codenames_of("Readers") == {"view_item"}
    assert "Created Reviewers" in capsys.readouterr().out


@pytest.mark.django_db
def test_command_restores_missing_permissions_only() -> None:
    call_command("make_review_groups")
    Group.objects.get(name="Readers").permissions.set(Group.objects.get(name="Reviewers").permissions.all()[:1])
    added = codenames_of("Readers")

    call_command("make_review_groups", verbosity=0)

    assert codenames_of("Readers") == added | {"view_item"}


def test_readers_view_and_reviewers_act(owner: User) -> None:
    call_command("make_review_groups")
    item = make_item(owner, status=Status.FAILED)
    readers, reviewers = Group.objects.get(name="Readers"), Group.objects.get(name="Reviewers")
    client = member_of("Readers")

    answers = [client.get(LIST).status_code, client.post(verb(item, "retry")).status_code]
    User.objects.get(username="somebody").groups.set([reviewers])
    client.post(verb(item, "retry"))

    assert answers == [200, 403]
    assert readers.permissions.count() == 1
    assert Item.objects.get(pk=item.pk).status == Status.ENRICHING

"""Every way to change an item, a token or a user is recorded with who did it, and without texts."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from items.models import AuditEvent, Item
from items.sql import read
from items.states import Action, EnrichmentMode, Status, allowed_actions
from litevault.accounts.deletion import delete_user
from litevault.accounts.models import ApiToken
from tests.items.admin.pages import LIST, detail, form_of, verb
from tests.items.api.client import BASE, Api
from tests.items.factories import RAW_TEXT, RESULT, TIMEOUT, after, make_item
from tests.items.queue.protocol import claim, finish, release, renew, success

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"
REQUEST = {"X-Request-Id": "req-of-this-test"}


class Actors(NamedTuple):
    """The owner's token and session, and an administrator's session."""

    owner: User
    api: Api
    pages: Client
    admin: Client


@pytest.fixture
def actors(owner: User) -> Actors:
    pages, admin = Client(), Client()
    pages.force_login(owner)
    admin.force_login(User.objects.create_superuser("boss", password=PASSWORD))
    actors = Actors(owner, Api(owner), pages, admin)
    AuditEvent.objects.all().delete()
    return actors


def recorded() -> list[tuple[Any, ...]]:
    """Return who did what, how, and in which request, in order."""
    events = AuditEvent.objects.order_by("id")
    return [(each.actor_name, each.via, each.action, each.object_kind, each.object_id) for each in events]


def patch(actors: Actors, item: Item, action: str) -> Any:
    return actors.api.patch(f"/items/{item.pk}", {"action": action}, **REQUEST)


def patch_title(actors: Actors, item: Item) -> Any:
    return actors.api.patch(f"/items/{item.pk}", {"title": "Another title"}, **REQUEST)


def press(actors: Actors, item: Item, path: str, **form: str) -> Any:
    return actors.pages.post(f"{BASE}/items/{item.pk}{path}", form, headers={"Accept": "text/html", **REQUEST})


def save_in_admin(actors: Actors, item: Item, button: str) -> Any:
    form = form_of(actors.admin, item) | {"title": "Another title", button: ""}
    return actors.admin.post(detail(item), form, headers=REQUEST)


def press_in_admin(actors: Actors, item: Item, action: str) -> Any:
    return actors.admin.post(verb(item, action), headers=REQUEST)


def select_in_admin(actors: Actors, item: Item, action: str, *, across: str) -> Any:
    form = {
        "action": f"{action}_selected",
        "_selected_action": str(item.pk),
        "select_across": across,
        "confirmed": "yes",
    }
    return actors.admin.post(LIST, form, headers=REQUEST)


READY, FAILED, ARCHIVED = Status.READY_TO_CONFIRM, Status.FAILED, Status.ARCHIVED
TOKEN, PAGES, ADMIN = ("owner", "token"), ("owner", "session"), ("boss", "admin")
Way = Callable[[Actors, Item], Any]
WAYS: dict[str, tuple[Status, Way, tuple[str, str], list[str]]] = {
    "api edit": (READY, patch_title, TOKEN, ["edit"]),
    "api confirm": (READY, partial(patch, action="confirm"), TOKEN, ["confirm"]),
    "api discard": (ARCHIVED, partial(patch, action="discard"), TOKEN, ["discard"]),
    "api discard while enriching": (Status.ENRICHING, partial(patch, action="discard"), TOKEN, ["discard"]),
    "api retry": (FAILED, lambda who, item: who.api.post(f"/items/{item.pk}/retry", **REQUEST), TOKEN, ["retry"]),
    "api retry all": (FAILED, lambda who, _: who.api.post("/items/retry", {}, **REQUEST), TOKEN, ["retry"]),
    "api redraft": (READY, lambda who, item: who.api.post(f"/items/{item.pk}/redraft", **REQUEST), TOKEN, ["redraft"]),
    "api restore": (
        Status.DISCARDED,
        lambda who, item: who.api.post(f"/items/{item.pk}/restore", **REQUEST),
        TOKEN,
        ["restore"],
    ),
    "page restore": (Status.DISCARDED, partial(press, path="/restore"), PAGES, ["restore"]),
    "page redraft": (READY, partial(press, path="/redraft"), PAGES, ["redraft"]),
    "admin restore": (Status.DISCARDED, partial(press_in_admin, action="restore"), ADMIN, ["restore"]),
    "admin redraft": (READY, partial(press_in_admin, action="redraft"), ADMIN, ["redraft"]),
    "admin restore of all": (
        Status.DISCARDED,
        partial(select_in_admin, action="restore", across="1"),
        ADMIN,
        ["restore"],
    ),
    "admin redraft of a selection": (READY, partial(select_in_admin, action="redraft", across="0"), ADMIN, ["redraft"]),
    "page discard": (READY, partial(press, path="", _method="PATCH", action="discard"), PAGES, ["discard"]),
    "page retry": (FAILED, partial(press, path="/retry"), PAGES, ["retry"]),
    "admin edit": (ARCHIVED, partial(save_in_admin, button="_save"), ADMIN, ["edit"]),
    "admin edit and confirm": (READY, partial(save_in_admin, button="_confirm"), ADMIN, ["edit", "confirm"]),
    "admin confirm": (READY, partial(press_in_admin, action="confirm"), ADMIN, ["confirm"]),
    "admin discard": (FAILED, partial(press_in_admin, action="discard"), ADMIN, ["discard"]),
    "admin retry": (FAILED, partial(press_in_admin, action="retry"), ADMIN, ["retry"]),
    "admin selection": (FAILED, partial(select_in_admin, action="retry", across="0"), ADMIN, ["retry"]),
    "admin all": (READY, partial(select_in_admin, action="discard", across="1"), ADMIN, ["discard"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_change_is_recorded_with_its_actor(actors: Actors, way: str) -> None:
    status, change, (name, via), actions = WAYS[way]
    item = make_item(actors.owner, status=status)

    response = change(actors, item)

    assert response.status_code < 400, response.content
    assert recorded() == [(name, via, action, "item", str(item.pk)) for action in actions]
    event = AuditEvent.objects.first()
    assert event is not None
    assert event.actor_id == User.objects.get(username=name).pk
    assert event.request_id == "req-of-this-test"
    assert event.credential
    assert event.credential not in {actors.pages.session.session_key, actors.admin.session.session_key}


def test_confirmation_with_edits_is_both(actors: Actors) -> None:
    item = make_item(actors.owner, status=READY)

    actors.api.patch(f"/items/{item.pk}", {"action": "confirm", "title": "Another title"})

    assert [(action, via) for _, via, action, *_ in recorded()] == [("edit", "token"), ("confirm", "token")]


def test_refused_change_is_not_recorded(actors: Actors) -> None:
    item = make_item(actors.owner, status=FAILED)

    response = patch(actors, item, "confirm")

    assert response.status_code == 409
    assert recorded() == []


def test_the_workers_changes_do_not_call_the_function(actors: Actors) -> None:
    """Not even to find out that there is nothing to record: an item's life would pay for it four times."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION items_audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ASSERT false; END'"
        )
        try:
            item = Item.objects.capture(owner=actors.owner, raw_text=RAW_TEXT)
            finish([release(*claim())])
            claims = claim()
            renew(claims, lease_seconds=60)
            finish([success(each) for each in claims])
        finally:
            cursor.execute(read("audit.sql"))

    item.refresh_from_db()
    assert item.status == READY
    assert recorded() == []


def test_plain_sql_is_recorded_as_the_role(actors: Actors) -> None:
    """The actor of a request before it, on the same connection, is forgotten."""
    item, other = make_item(actors.owner, status=READY), make_item(actors.owner, status=READY)
    patch(actors, other, "confirm")
    AuditEvent.objects.all().delete()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET status = 'DISCARDED' WHERE id = %s", [item.pk])
        cursor.execute("SELECT session_user")
        (role,) = cursor.fetchone()

    assert recorded() == [(role, "database", "discard", "item", str(item.pk))]


OWNERS_MOVES = [
    (status, action)
    for status in Status
    for action in allowed_actions(status, mode=EnrichmentMode.MANUAL)
    if action != Action.EDIT
]


@pytest.mark.parametrize(("status", "action"), OWNERS_MOVES)
def test_every_transition_is_recorded_by_its_name(owner: User, status: Status, action: Action) -> None:
    item = make_item(owner, status=status, enrichment_mode=EnrichmentMode.MANUAL)
    expected = after(item, action)

    getattr(item, action.value)()

    assert item.status == expected
    assert [event.action for event in AuditEvent.objects.filter(object_id=item.pk)] == [action]


def test_restore_of_a_failed_redraft_is_recorded(owner: User) -> None:
    item = make_item(owner, status=READY)
    item.redraft()
    Item.objects.filter(pk=item.pk).update(status=FAILED, enrichment_error=TIMEOUT)

    item.restore()

    events = AuditEvent.objects.filter(object_id=item.pk).order_by("id")
    assert [event.action for event in events] == ["redraft", "restore"]


def test_bulk_change_is_recorded_for_each_item(owner: User) -> None:
    items = [make_item(owner, status=READY) for _ in range(3)]

    Item.objects.owned_by(owner).discard()

    assert sorted(object_id for *_, object_id in recorded()) == sorted(str(item.pk) for item in items)
    assert {via for _, via, *_ in recorded()} == {"command"}


def test_command_of_a_user_whose_name_is_no_text(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    item = make_item(owner, status=READY)
    monkeypatch.setenv("LOGNAME", os.fsdecode(b"ann\xff"))
    monkeypatch.setattr(sys, "argv", ["manage.py", os.fsdecode(b"purge\xff"), "argument"])

    item.discard()

    assert recorded() == [("ann?", "command", "discard", "item", str(item.pk))]
    assert AuditEvent.objects.get().credential == "purge?"


def test_events_outlive_the_deleted_actor(actors: Actors) -> None:
    item = make_item(actors.owner, status=READY)
    user_id = actors.owner.pk
    (token_id,) = ApiToken.objects.values_list("pk", flat=True)
    patch(actors, item, "discard")

    delete_user(actors.owner)

    assert [(name, via) for name, via, action, *_ in recorded() if action == "discard"] == [("owner", "token")]
    deleted = {
        (kind, object_id) for _, via, action, kind, object_id in recorded() if (via, action) == ("command", "delete")
    }
    assert deleted == {("item", str(item.pk)), ("token", str(token_id)), ("user", str(user_id))}


def test_tokens_are_recorded(actors: Actors, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "owner")
    token = ApiToken.objects.latest("pk")
    call_command("revoke_token", str(token.pk))
    call_command("revoke_token", str(token.pk))
    form = {"user": "owner", "name": "from the admin", "expires_at": ""}
    actors.admin.post(reverse("admin:accounts_apitoken_add"), form)
    issued = ApiToken.objects.latest("pk")
    for _ in range(2):
        actors.admin.post(reverse("admin:api_token_revoke", args=(issued.pk,)))

    assert [(via, action, object_id) for _, via, action, _, object_id in recorded()] == [
        ("command", "issue", str(token.pk)),
        ("command", "revoke", str(token.pk)),
        ("admin", "issue", str(issued.pk)),
        ("admin", "revoke", str(issued.pk)),
    ]


@pytest.mark.parametrize(("path", "via"), [("/login", "session"), ("/admin/login/", "admin")])
def test_logins_are_recorded(actors: Actors, path: str, via: str) -> None:
    boss = User.objects.get(username="boss")

    for name, password in (("boss", PASSWORD), ("boss", "wrong"), ("my secret password", "wrong")):
        Client().post(path, {"username": name, "password": password})

    assert recorded() == [
        ("boss", via, "login", "user", str(boss.pk)),
        ("", via, "login_failed", "user", str(boss.pk)),
        ("", via, "login_failed", "user", ""),
    ]


def test_trail_holds_no_text(actors: Actors) -> None:
    item = make_item(actors.owner, status=READY)
    patch_title(actors, item)
    patch(actors, item, "confirm")

    rows = str(list(AuditEvent.objects.values_list()))

    assert str(item.pk) in rows
    assert all(text not in rows for text in ("Another title", RAW_TEXT, cast(str, RESULT["title"])))


def test_page_answers_who_discarded_an_item(actors: Actors) -> None:
    item, other = make_item(actors.owner, status=READY), make_item(actors.owner, status=READY)
    patch(actors, item, "discard")
    press_in_admin(actors, other, "confirm")
    page = reverse("admin:items_auditevent_changelist")

    shown = {
        query: actors.admin.get(f"{page}?{query}").text
        for query in (f"q={item.pk}", "action=discard", "actor=owner", "actor=boss", "actor=%00", "action=unknown", "")
    }

    assert {query for query, text in shown.items() if f"item {item.pk}" in text} == {
        f"q={item.pk}", "action=discard", "actor=owner", "",
    }  # fmt: skip
    assert {query for query, text in shown.items() if f"item {other.pk}" in text} == {
        "actor=boss",
        "",
    }


def test_history_of_an_item_shows_its_events(actors: Actors) -> None:
    item = make_item(actors.owner, status=READY)
    before = actors.admin.get(f"{LIST}{item.pk}/history/").text
    patch(actors, item, "discard")
    page = actors.admin.get(reverse("admin:items_item_change", args=(item.pk,))).text

    history = actors.admin.get(f"{LIST}{item.pk}/history/").text

    assert f"{LIST}{item.pk}/history/" in page
    assert "Nothing was changed since the capture." in before
    assert "Discard" in history
    assert f"owner (user {actors.owner.pk})" in history
    assert "req-of-this-test" in history


def test_trail_cannot_be_changed_in_the_admin(actors: Actors) -> None:
    press_in_admin(actors, make_item(actors.owner, status=READY), "confirm")
    event = AuditEvent.objects.get()

    answers = [
        actors.admin.post(reverse(f"admin:items_auditevent_{page}", args=(event.pk,)), {"actor_name": "nobody"})
        for page in ("change", "delete")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert AuditEvent.objects.filter(actor_name="boss").count() == 1

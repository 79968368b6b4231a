"""The list of one's own sessions, and their end."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from items.models import AuditEvent
from litevault.accounts.own_sessions import device_of

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", password=PASSWORD)


def logged_in(user: User, browser: str) -> Client:
    client = Client(headers={"User-Agent": browser})
    client.post("/login", {"username": user.get_username(), "password": PASSWORD})
    return client


def ends(page: str) -> list[str]:
    return re.findall(r'action="(/account/sessions/[0-9a-f]+/end)"', page)


def is_logged_in(client: Client) -> bool:
    return bool(client.get("/account").status_code == 200)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Chrome on Android"),
        ("", "Unknown browser"),
        ("curl/8", "Unknown browser"),
    ],
)
def test_browser_is_named_without_its_version(user_agent: str, expected: str) -> None:
    assert device_of(user_agent) == expected


def test_own_sessions_are_listed_without_their_keys(ann: User, stranger: User) -> None:
    stranger.set_password(PASSWORD)
    stranger.save()
    desk, phone, theirs = logged_in(ann, FIREFOX), logged_in(ann, PHONE), logged_in(stranger, "Windows Edg/1")

    page = desk.get("/account").text

    assert [page.count(name) > 0 for name in ("Firefox on Linux", "Chrome on Android", "Edge")] == [True, True, False]
    assert page.count("This session") == 1
    assert len(ends(page)) == 1
    assert is_logged_in(theirs)
    assert not [key for key in Session.objects.values_list("pk", flat=True) if key in page]
    assert is_logged_in(phone)


def test_one_session_is_ended_and_audited(ann: User) -> None:
    desk, phone, tablet = (logged_in(ann, browser) for browser in (FIREFOX, PHONE, "iPad Safari"))
    chosen = ends(desk.get("/account").text)[-1]  # the least recently used of the others

    response = desk.post(chosen)

    assert (response.status_code, response["Location"]) == (302, "/account")
    assert [is_logged_in(client) for client in (desk, phone, tablet)] == [True, False, True]
    event = AuditEvent.objects.get(action="revoke")
    assert (event.object_kind, event.object_id, event.actor_id) == ("session", chosen.split("/")[3], ann.pk)


def test_all_other_sessions_are_ended(ann: User) -> None:
    desk, *others = (logged_in(ann, browser) for browser in (FIREFOX, PHONE, "iPad Safari"))

    desk.post("/account/sessions/others/end")

    assert "2 other sessions ended." in desk.get("/account").text
    assert not any(is_logged_in(client) for client in others)
    assert AuditEvent.objects.filter(action="revoke", object_kind="sessions").count() == 1


def test_session_of_another_user_is_not_ended(ann: User, stranger: User) -> None:
    stranger.set_password(PASSWORD)
    stranger.save()
    theirs = [logged_in(stranger, FIREFOX), logged_in(stranger, PHONE)]
    (end,) = ends(theirs[0].get("/account").text)

    logged_in(ann, FIREFOX).post(end)

    assert all(is_logged_in(client) for client in theirs)


def test_session_ended_by_a_new_password_is_not_listed(ann: User) -> None:
    desk = logged_in(ann, FIREFOX)
    logged_in(ann, PHONE)
    new = {
        "old_password": PASSWORD,
        "new_password1": "staple of another kind",
        "new_password2": "staple of another kind",
    }

    desk.post("/account/password", new)

    assert ends(desk.get("/account").text) == []


def test_forms_of_other_sites_end_no_session(ann: User) -> None:
    desk, phone = logged_in(ann, FIREFOX), logged_in(ann, PHONE)
    desk.handler.enforce_csrf_checks = True

    statuses = [
        desk.post(path).status_code for path in (*ends(desk.get("/account").text), "/account/sessions/others/end")
    ]

    assert statuses == [403, 403]
    assert is_logged_in(phone)

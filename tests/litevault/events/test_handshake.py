"""Authentication, throttles and errors of a stream, as for every other URL of the API."""

import http.client
import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

import litevault
from items.states import Status
from litevault.accounts.models import ApiToken
from litevault.settings import DEVELOPMENT_MARK
from tests.hardening.production import PRODUCTION
from tests.items.factories import make_item
from tests.litevault.events.client import HOST, Listening, token_of
from tests.plugins.events import Events, EventsStarter
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


def ask(events: Events, path: str = "/api/v1/events", *, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Return the status and the error of a response that is not a stream."""
    connection = http.client.HTTPConnection(HOST, events.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        error = json.loads(answer.read() or "{}").get("error", {})
        if error:
            assert error["requestId"] == answer.headers["X-Request-Id"]
        assert answer.headers.get_all("X-LiteVault-Version") == [litevault.__version__]
        return answer.status, error
    finally:
        connection.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_stream_requires_authentication(events: Events, owner: User) -> None:
    revoked = token_of(owner)
    ApiToken.objects.filter(user=owner).revoke()

    assert [ask(events, **headers)[1]["code"] for headers in ({}, bearer("lv_unknown"), bearer(revoked))] == [
        "UNAUTHORIZED"
    ] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "text/event-stream; x*=a; x*0=b"),
        ("Content-Type", "application/json; x*=a; x*0=b"),
        ("Cookie", 'sessionid="0123456789\\000"'),
    ],
)
def test_hostile_header_is_no_error_of_the_server(events: Events, name: str, value: str) -> None:
    status, error = ask(events, **{name: value})

    assert (status, error["code"]) in {(401, "UNAUTHORIZED"), (406, "NOT_ACCEPTABLE")}


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/api/v1/events?actvity=true", "GET", 400, "VALIDATION_ERROR"),
        ("/api/v1/events?activity=true", "GET", 403, "FORBIDDEN"),
        ("/api/v1/events", "POST", 405, "METHOD_NOT_ALLOWED"),
        ("/api/v1/items", "GET", 404, "NOT_FOUND"),
        ("/static/items/live.js", "GET", 404, "NOT_FOUND"),
        ("/api/v1/events?%ff=%00", "GET", 400, "VALIDATION_ERROR"),
    ],
)
def test_unserved_path_gets_our_error_shape(
    events: Events, owner: User, path: str, method: str, status: int, code: str
) -> None:
    answered, error = ask(events, path, method=method, **bearer(token_of(owner)))

    assert (answered, error["code"]) == (status, code)


def test_request_id_is_kept(events: Events, owner: User) -> None:
    with Listening(events.port, **{**bearer(token_of(owner)), "X-Request-Id": "mine-1"}) as stream:
        assert stream.answer.headers["X-Request-Id"] == "mine-1"

    until(lambda: "stream.ended" in events.log())
    assert all("request_id=mine-1" in line for line in events.log().splitlines() if "stream.ended" in line)


def test_head_opens_no_stream(events: Events, owner: User) -> None:
    assert ask(events, method="HEAD", **bearer(token_of(owner))) == (200, {})


def test_session_of_a_browser_comes_in_until_it_logs_out(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_SECRET_KEY=settings.SECRET_KEY)
    browser = Client()
    browser.force_login(owner)
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}

    with Listening(events.port, **cookie) as stream:
        item = make_item(owner, status=Status.FAILED)
        stream.until(Status.FAILED, item.pk)
        browser.logout()
        stream.until_it_ends()

    assert ask(events, **cookie)[0] == 401


def test_changed_password_ends_streams_of_its_sessions(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_SECRET_KEY=settings.SECRET_KEY)
    browser = Client()
    browser.force_login(owner)
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
    nearly_idle = timezone.now() + timedelta(minutes=10)
    Session.objects.update(expire_date=nearly_idle)

    with Listening(events.port, **cookie) as stream, events.listen(owner) as by_token:
        assert not Session.objects.filter(expire_date__gt=nearly_idle).exists()  # a stream does not renew it
        owner.set_password("staple of another kind")
        owner.save()
        stream.until_it_ends()
        item = make_item(owner, status=Status.FAILED)
        by_token.until(Status.FAILED, item.pk)

    assert ask(events, **cookie)[0] == 401


def test_lost_permission_ends_the_streams_that_require_it(events: Events, owner: User, stranger: User) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="view_item"))

    with events.listen(stranger, path="/api/v1/events?activity=true") as stream, events.listen(stranger) as other:
        stranger.user_permissions.clear()
        stream.until_it_ends()
        item = make_item(stranger, status=Status.FAILED)
        other.until(Status.FAILED, item.pk)

    assert events.log().count("cause=unauthorized") == 1


def test_development_header_works_in_development_only(start_events: EventsStarter, owner: User) -> None:
    development, production = start_events(**{DEVELOPMENT_MARK: "1"}), start_events(**PRODUCTION)

    with Listening(development.port, **{"X-Dev-User-Id": owner.username}) as stream:
        make_item(owner, status=Status.FAILED)
        assert stream.event().data["status"] == "FAILED"
    assert ask(production, **{"X-Dev-User-Id": owner.username})[0] == 401


@pytest.mark.parametrize(("origin", "allowed"), [("http://127.0.0.1:8080", True), ("http://evil.example", False)])
def test_pages_of_the_same_host_may_listen_in_development(
    events: Events, owner: User, origin: str, *, allowed: bool
) -> None:
    with Listening(events.port, **{**bearer(token_of(owner)), "Origin": origin}) as stream:
        assert (stream.answer.headers["Access-Control-Allow-Origin"] == origin) == allowed


def test_pages_of_other_ports_may_not_listen_in_production(start_events: EventsStarter, owner: User) -> None:
    events = start_events(**PRODUCTION)

    with Listening(events.port, **{**bearer(token_of(owner)), "Origin": "http://127.0.0.1:8080"}) as stream:
        assert stream.answer.headers["Access-Control-Allow-Origin"] is None


def test_staff_see_activity_of_all_owners_anonymously(events: Events, owner: User, stranger: User) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="view_item"))

    with events.listen(stranger, path="/api/v1/events?activity=true") as stream:
        make_item(owner, status=Status.FAILED)
        told = stream.event()

    assert (told.name, told.data) == ("activity", {})


def test_user_who_comes_too_often_waits(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_THROTTLE_PER_MINUTE="2")
    token = token_of(owner)

    statuses = [ask(events, method="HEAD", **bearer(token))[0] for _ in range(3)]

    assert statuses == [200, 200, 429]

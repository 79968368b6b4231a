"""The end of sessions that are not used."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from litevault.accounts.sessions import ENDS_AT, RENEWAL, SessionStore

IDLE = timedelta(minutes=60)


@pytest.fixture
def browser(owner: User, settings: Settings) -> Client:
    settings.SESSION_IDLE_MINUTES = IDLE.seconds // 60
    client = Client()
    client.force_login(owner)
    return client


def let_pass(time: timedelta) -> None:
    """Move the session back in time."""
    for row in Session.objects.all():
        data = SessionStore().decode(row.session_data)
        data[ENDS_AT] -= int(time.total_seconds())
        Session.objects.update(session_data=SessionStore().encode(data), expire_date=F("expire_date") - time)


def status(browser: Client) -> int:
    return browser.get("/api/v1/items/pending").status_code


def expiry() -> datetime:
    return Session.objects.get().expire_date


def test_session_that_is_not_used_ends(browser: Client) -> None:
    let_pass(IDLE)

    assert status(browser) == 401


def test_session_in_use_does_not_end(browser: Client) -> None:
    for _ in range(3):
        let_pass(IDLE - timedelta(minutes=1))
        assert status(browser) == 200


def test_session_in_use_ends_some_time_after_the_login(browser: Client) -> None:
    Session.objects.update(expire_date=timezone.now() + timedelta(days=100))
    let_pass(timedelta(seconds=settings.SESSION_COOKIE_AGE) - timedelta(minutes=1))
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=30))
    assert status(browser) == 200

    let_pass(timedelta(minutes=1))

    assert status(browser) == 401


def test_session_is_renewed_only_now_and_then(browser: Client) -> None:
    let_pass(RENEWAL - timedelta(minutes=1))
    before = expiry()
    with CaptureQueriesContext(connection) as queries:
        status(browser)
    assert expiry() == before
    assert not [query for query in queries if "UPDATE" in query["sql"] and "django_session" in query["sql"]]

    let_pass(timedelta(minutes=1))
    status(browser)

    assert expiry() > before


def test_session_of_an_older_version_ends_as_planned(browser: Client) -> None:
    row = Session.objects.get()
    data = SessionStore().decode(row.session_data)
    del data[ENDS_AT]
    Session.objects.update(session_data=SessionStore().encode(data), expire_date=timezone.now() + timedelta(minutes=1))
    before = expiry()

    assert status(browser) == 200
    assert expiry() == before

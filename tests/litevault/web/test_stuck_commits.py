"""Only a committed change shows that changes no longer wait for a standby, not each request that could change."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.models import item
from litevault.web import stuck_commits
from postgres.django import base
from postgres.django.base import PooledConnection
from postgres.django.waits import Waits
from tests.database import database_url
from tests.items.factories import make_item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    """One session of the server seems to wait for a standby."""
    own = Waits()
    for module in (base, stuck_commits, item):
        monkeypatch.setattr(module, "WAITS", own)
    own.leave(PooledConnection.connect(database_url(), autocommit=True))
    yield own
    own.record_change()


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "key"}])
def test_capture_that_is_stored_ends_the_count(browser: Client, waits: Waits, headers: dict[str, str]) -> None:
    response = browser.post("/api/v1/items", {"rawText": "Beans."}, content_type="application/json", headers=headers)

    assert response.status_code == 201

    assert not waits.are_left()


def test_change_of_an_item_ends_the_count(browser: Client, waits: Waits) -> None:
    draft = make_item(User.objects.get(), status="READY_TO_CONFIRM")

    response = browser.post(f"/admin/items/item/{draft.pk}/confirm/")

    assert response.status_code == 302
    assert not waits.are_left()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param("/login", {}, id="login-without-a-name"),
        pytest.param("/account", {}, id="invalid-form"),
        pytest.param("/api/v1/items/retry", {}, id="retry-of-nothing"),
        pytest.param("/admin/items/item/", {"action": "discard_selected", "_selected_action": "{item}"}, id="question"),
    ],
)
def test_request_without_a_change_keeps_the_count(
    browser: Client, waits: Waits, path: str, form: dict[str, str]
) -> None:
    archived = make_item(User.objects.get(), status="ARCHIVED")

    sent = {name: value.format(item=archived.pk) for name, value in form.items()}
    response = browser.post(path.format(item=archived.pk), sent)

    assert response.status_code < 400
    assert waits.are_left()

"""The pages on which users change their own password, and issue and revoke their own tokens."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from litevault.accounts import pages
from litevault.accounts.models import ApiToken

OLD, NEW = "correct horse battery", "staple of another kind"


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", password=OLD)


@pytest.fixture
def browser(ann: User) -> Client:
    return logged_in(ann)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def change(browser: Client, old: str = OLD, new: str = NEW, **fields: str) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return browser.post("/account/password", form | fields)


def issue(browser: Client, **fields: str) -> Any:
    return browser.post("/account", {"name": "laptop", "days": ""} | fields)


@pytest.mark.parametrize("path", ["/account", "/account/password"])
def test_account_pages_require_a_login(db: None, path: str) -> None:
    response = Client().get(path)

    assert (response.status_code, response["Location"]) == (302, f"/login?next={path}")


def test_header_links_to_the_account(browser: Client) -> None:
    page = browser.get("/api/v1/items/pending", headers={"Accept": "text/html"})

    assert '<a href="/account">ann</a>' in page.text


def test_issued_token_is_shown_once_and_opens_the_api(browser: Client, ann: User) -> None:
    response = issue(browser)

    (secret,) = re.findall(r'value="(lv_[\w-]+)"', response.text)
    items = Client().get("/api/v1/items", headers={"Authorization": f"Bearer {secret}"})
    assert (items.status_code, ApiToken.objects.get().user) == (200, ann)
    assert "no-store" in response["Cache-Control"]
    assert secret not in browser.get("/account").text


@pytest.mark.parametrize(
    ("days", "default", "expected"), [("7", 30, timedelta(7)), ("", 30, timedelta(30)), ("", 0, None)]
)
def test_token_expires_when_asked_or_by_default(
    browser: Client, settings: Settings, days: str, default: int, expected: timedelta | None
) -> None:
    settings.TOKEN_DAYS = default

    issue(browser, days=days)

    expires_at = ApiToken.objects.get().expires_at
    left = expires_at and expires_at - timezone.now()
    assert (left is None) == (expected is None)
    assert left is None or expected is None or expected - timedelta(hours=1) < left <= expected


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "x" * 101}, {"days": "0"}, {"days": "3651"}, {"days": "x"}])
def test_invalid_form_issues_no_token(browser: Client, fields: dict[str, str]) -> None:
    response = issue(browser, **fields)

    assert 'role="alert"' in response.text
    assert not ApiToken.objects.exists()


def test_number_of_valid_tokens_is_limited(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TOKENS_PER_USER", 2)
    for _ in range(2):
        issue(browser)

    refused = issue(browser)
    ApiToken.objects.filter(pk=ApiToken.objects.first().pk).revoke()
    accepted = issue(browser)

    assert "You have 2 valid tokens. Revoke one first." in refused.text
    assert "lv_" in accepted.text
    assert ApiToken.objects.count() == 3


def test_user_sees_and_revokes_own_tokens_only(browser: Client, ann: User, stranger: User) -> None:
    own, _ = ApiToken.objects.issue(user=ann, name="of ann")
    other, _ = ApiToken.objects.issue(user=stranger, name="of the stranger")

    page = browser.get("/account").text
    for token in (own, other):
        browser.post(f"/account/tokens/{token.pk}/revoke")

    assert "of ann" in page
    assert "of the stranger" not in page
    assert list(ApiToken.objects.valid()) == [other]


@pytest.mark.parametrize("unknown", [0, 10**30])
def test_unknown_token_is_not_revoked(browser: Client, ann: User, unknown: int) -> None:
    ApiToken.objects.issue(user=ann, name="laptop")

    response = browser.post(f"/account/tokens/{unknown}/revoke")

    assert response.status_code == 302
    assert ApiToken.objects.valid().exists()


def test_forms_of_other_sites_change_no_account(ann: User) -> None:
    token, _ = ApiToken.objects.issue(user=ann, name="laptop")
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(ann)

    statuses = [
        issue(elsewhere).status_code,
        change(elsewhere).status_code,
        elsewhere.post(f"/account/tokens/{token.pk}/revoke").status_code,
    ]

    assert statuses == [403] * 3
    assert list(ApiToken.objects.valid()) == [token]


def test_changed_password_ends_other_sessions_only(browser: Client, ann: User) -> None:
    elsewhere = logged_in(ann)

    response = change(browser)

    assert (response.status_code, response["Location"]) == (302, "/account")
    assert "The password is changed." in browser.get("/account").text
    assert elsewhere.get("/account").status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(NEW)


@pytest.mark.parametrize(("fields", "left"), [({}, 1), ({"revoke_tokens": "on"}, 0)])
def test_changed_password_revokes_tokens_on_request(
    browser: Client, ann: User, stranger: User, fields: dict[str, str], left: int
) -> None:
    ApiToken.objects.issue(user=ann, name="laptop")
    ApiToken.objects.issue(user=stranger, name="laptop")

    change(browser, **fields)

    assert ApiToken.objects.valid().filter(user=ann).count() == left
    assert ApiToken.objects.valid().filter(user=stranger).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("wrong", NEW, "Your old password was entered incorrectly"),
        (OLD, "elevenchars", "must contain at least 12 characters"),
        (OLD, "password1234", "too common"),
        (OLD, "", "This field is required"),
    ],
)
def test_refused_password_changes_nothing(browser: Client, ann: User, old: str, new: str, sentence: str) -> None:
    ApiToken.objects.issue(user=ann, name="laptop")

    response = change(browser, old, new, revoke_tokens="on")

    ann.refresh_from_db()
    assert sentence in response.text
    assert ann.check_password(OLD)
    assert ApiToken.objects.valid().exists()


def test_wrong_old_passwords_count_as_failed_logins(browser: Client, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_NAME, settings.LOGIN_FAILURES_PER_ADDRESS = 3, 0

    statuses = [change(browser, "wrong").status_code for _ in range(4)]
    login = Client().post("/login", {"username": "ann", "password": OLD})

    assert statuses == [200, 200, 200, 429]
    assert login.status_code == 429
    assert change(browser).status_code == 429


def test_admin_changes_own_password_on_the_same_page(admin_client: Client) -> None:
    response = admin_client.get("/admin/password_change/")

    assert (response.status_code, response["Location"]) == (302, "/account/password")

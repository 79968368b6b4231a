"""Forms are read from POST only, which is what the login limit counts and the CSRF check covers."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.models import AuditEvent
from litevault.accounts.models import ApiToken
from litevault.web.form_data import MULTIPART, URLENCODED
from tests.items.api.client import Api
from tests.items.factories import make_item

OTHER_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
PASSWORD, NEW = "correct horse battery", "staple of another kind"
LOGINS = ("/login", "/admin/login/")
FORMS = {
    "/account": {"name": "laptop", "days": ""},
    "/account/password": {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    "/admin/accounts/apitoken/add/": {"user": "ann", "name": "laptop", "expires_at": ""},
    "/admin/auth/user/add/": {"username": "bob", "usable_password": "true", "password1": NEW, "password2": NEW},
}


@pytest.fixture(autouse=True)
def ann(db: None) -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def send(client: Client, method: str, path: str, form: dict[str, str], kind: str = URLENCODED) -> Any:
    if kind == MULTIPART:
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{form[name]}\r\n' for name in form]
        return client.generic(method, path, "".join((*parts, "--x--\r\n")), f"{MULTIPART}; boundary=x")
    return client.generic(method, path, "&".join(f"{name}={form[name]}" for name in form).replace(" ", "+"), kind)


@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize("method", OTHER_METHODS)
@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART])
def test_only_post_checks_the_password_of_a_login(path: str, method: str, kind: str) -> None:
    client = Client()
    for password in (PASSWORD, "wrong"):
        response = send(client, method, path, {"username": "ann", "password": password}, kind)
        assert response.status_code in (200, 405)

    assert "sessionid" not in client.cookies
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("method", OTHER_METHODS)
def test_only_post_changes_what_a_form_changes(ann: User, path: str, method: str) -> None:
    browser = Client()
    browser.force_login(ann)

    response = send(browser, method, path, FORMS[path])

    ann.refresh_from_db()
    assert response.status_code in (200, 405)
    assert b"incorrect" not in response.content
    assert ann.check_password(PASSWORD)
    assert not ApiToken.objects.exists()
    assert User.objects.count() == 1


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_these_tests_are_accepted_by_post(ann: User, path: str) -> None:
    browser = Client()
    browser.force_login(ann)

    send(browser, "POST", path, FORMS[path])

    ann.refresh_from_db()
    changes = (ApiToken.objects.exists(), User.objects.count() == 2, ann.check_password(NEW))
    assert sum(changes) == 1


@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART])
def test_api_takes_a_form_by_patch(owner: User, kind: str) -> None:
    item = make_item(owner, title="Old", status="READY_TO_CONFIRM")
    client = Client(headers=Api(owner).headers)

    response = send(client, "PATCH", f"/api/v1/items/{item.pk}", {"title": "New"}, kind)

    item.refresh_from_db()
    assert (response.status_code, item.title) == (200, "New")

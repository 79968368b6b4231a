"""Authentication of the API and the login page."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from litevault.accounts.models import ApiToken
from tests.together import at_once

URL = "/api/v1/tags"


def ask(**headers: str) -> Any:
    return Client().get(URL, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def secret(owner: User) -> str:
    return ApiToken.objects.issue(user=owner, name="laptop")[1]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_token_is_its_user(secret: str, scheme: str) -> None:
    response = ask(Authorization=f"{scheme} {secret}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer lv_unknown",
        "Bearer unknown",
        "Bearer {secret}x",
        "Bearer {digest}",
        "Bearer \xff\xfe",
        "Basic b3duZXI6",
        "{secret}",
        "",
    ],
)
def test_other_authorization_is_refused(secret: str, header: str) -> None:
    digest = ApiToken.objects.get().digest

    response = ask(Authorization=header.format(secret=secret, digest=digest))

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="litevault"'
    assert response.json()["error"]["code"] == "UNAUTHORIZED"


def test_revoked_token_is_refused(secret: str) -> None:
    ApiToken.objects.all().revoke()

    assert ask(Authorization=f"Bearer {secret}").status_code == 401


def test_expired_token_is_refused(owner: User) -> None:
    _, secret = ApiToken.objects.issue(user=owner, name="old", expires_at=timezone.now() - timedelta(seconds=1))

    assert ask(Authorization=f"Bearer {secret}").status_code == 401


def test_token_before_its_expiry_is_accepted(owner: User) -> None:
    _, secret = ApiToken.objects.issue(user=owner, name="new", expires_at=timezone.now() + timedelta(minutes=1))

    assert ask(Authorization=f"Bearer {secret}").status_code == 200


def test_token_of_an_inactive_user_is_refused(owner: User, secret: str) -> None:
    owner.is_active = False
    owner.save()

    assert ask(Authorization=f"Bearer {secret}").status_code == 401


def test_session_does_not_make_up_for_an_invalid_token(owner: User) -> None:
    client = Client()
    client.force_login(owner)

    response = client.get(URL, headers={"Authorization": "Bearer lv_unknown"})

    assert response.status_code == 401


def test_use_of_a_token_is_noted_once_a_minute(secret: str) -> None:
    ask(Authorization=f"Bearer {secret}")
    first = ApiToken.objects.get().last_used_at
    assert first is not None

    ask(Authorization=f"Bearer {secret}")
    assert ApiToken.objects.get().last_used_at == first

    ApiToken.objects.update(last_used_at=first - timedelta(minutes=1))
    ask(Authorization=f"Bearer {secret}")
    assert ApiToken.objects.get().last_used_at > first


def test_session_is_its_user(owner: User) -> None:
    client = Client()
    client.force_login(owner)

    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("name", ["ann", "a.b+c@d_e-f", "9" * 150])
@pytest.mark.django_db
def test_development_header_creates_its_user_on_first_use(settings: Settings, name: str) -> None:
    settings.DEVELOPMENT_USERS = True

    answers = [ask(X_Dev_User_Id=name) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    user = User.objects.get()
    assert user.username == name
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser


@pytest.mark.parametrize("name", ["", "two words", "x" * 151, "a\x00b", "<b>", "é", "a/b", "a\n"])
@pytest.mark.django_db
def test_odd_development_name_is_refused(settings: Settings, name: str) -> None:
    settings.DEVELOPMENT_USERS = True

    response = ask(X_Dev_User_Id=name)

    assert response.status_code == 401
    assert not User.objects.exists()


@pytest.mark.django_db
def test_development_header_means_nothing_in_production(settings: Settings, owner: User) -> None:
    settings.DEVELOPMENT_USERS = False

    response = ask(X_Dev_User_Id="owner")

    assert response.status_code == 401


FROM_ELSEWHERE = [
    {"REMOTE_ADDR": "192.0.2.1"},
    {"REMOTE_ADDR": "::ffff:192.0.2.1"},
    {"REMOTE_ADDR": ""},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    {"HTTP_X_FORWARDED_PROTO": "https"},
    {"HTTP_X_REAL_IP": "127.0.0.1"},
    {"HTTP_FORWARDED": "for=127.0.0.1"},
    {"HTTP_VIA": "1.1 proxy"},
]


@pytest.mark.parametrize("meta", FROM_ELSEWHERE, ids=str)
@pytest.mark.django_db
def test_development_header_is_for_direct_local_requests(settings: Settings, meta: dict[str, str]) -> None:
    settings.DEVELOPMENT_USERS = True

    assert ask(X_Dev_User_Id="ann").status_code == 200
    assert Client(**meta).get(URL, headers={"X-Dev-User-Id": "ann"}).status_code == 401  # type: ignore[arg-type]


def test_development_header_does_not_wake_an_inactive_user(settings: Settings, owner: User) -> None:
    settings.DEVELOPMENT_USERS = True
    owner.is_active = False
    owner.save()

    assert ask(X_Dev_User_Id="owner").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_development_user_is_created_once_by_concurrent_requests(settings: Settings) -> None:
    settings.DEVELOPMENT_USERS, settings.REQUESTS_AT_ONCE = True, 1000

    answers = at_once(8, lambda _: ask(X_Dev_User_Id="ann").status_code)

    assert answers == [200] * 8
    assert User.objects.count() == 1


def test_login_redirects_to_the_requested_page() -> None:
    response = Client().get("/api/v1/items?q=a+b", headers={"Accept": "text/html"})

    assert (response.status_code, response["Location"]) == (302, "/login?next=/api/v1/items%3Fq%3Da%2Bb")


@pytest.mark.django_db
def test_person_logs_in_and_out() -> None:
    User.objects.create_user("ann", password="a long passphrase")
    client = Client()

    login = client.post("/login", {"username": "ann", "password": "a long passphrase", "next": "/api/v1/tags"})
    page = client.get("/api/v1/tags", headers={"Accept": "text/html"})
    client.post("/logout")

    assert (login.status_code, login["Location"]) == (302, "/api/v1/tags")
    assert "ann" in page.content.decode()
    assert client.get(URL).status_code == 401


@pytest.mark.django_db
def test_login_error_does_not_say_what_was_wrong() -> None:
    User.objects.create_user("ann", password="a long passphrase")

    answers = [Client().post("/login", {"username": name, "password": "x"}) for name in ("ann", "bob")]

    assert all("The name or password is wrong." in answer.content.decode() for answer in answers)


@pytest.mark.django_db
def test_login_does_not_lead_to_another_site() -> None:
    User.objects.create_user("ann", password="a long passphrase")

    response = Client().post(
        "/login", {"username": "ann", "password": "a long passphrase", "next": "https://evil.example/"}
    )

    assert response["Location"] == "/api/v1/items/pending"


@pytest.mark.django_db
def test_wrong_password_does_not_lose_the_name_that_was_typed() -> None:
    page = Client().post("/login", {"username": 'ann"><b>', "password": "x"}).content.decode()

    assert 'name="username" value="ann&quot;&gt;&lt;b&gt;"' in page

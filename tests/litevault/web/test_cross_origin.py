"""Scripts of another origin may use the API where LITEVAULT_CORS_ORIGINS lists it, with a token and without cookies."""

import http.client
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from litevault.accounts.models import ApiToken
from tests.hardening.production import PRODUCTION
from tests.plugins.commands import starting
from tests.plugins.tiers import first_usual
from tests.privacy.web import HOST, Web, web_server
from tests.waiting import PATIENCE_SECONDS

ORIGIN = "https://notes.example.com"
STRANGER = "https://notes.example.com.evil.example"
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
SENT = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "x-request-id",
)
PATHS = {"wsgi": "/api/v1/items", "asgi": "/api/v1/events"}


@pytest.fixture(scope="module", params=first_usual("wsgi", "asgi"))
def shared_server(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Web]]:
    with (
        starting(tmp_path_factory.mktemp("web")) as start,
        web_server(start, token="", interface=request.param, LITEVAULT_CORS_ORIGINS=ORIGIN, **PRODUCTION) as web,
    ):
        yield PATHS[request.param], web


def head(port: int, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """Return the status and the headers of the response, whose body may be a stream."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse()
    finally:
        connection.close()


def words(text: str | None) -> set[str]:
    return {word.strip().lower() for word in (text or "").split(",")}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_scripts_of_a_listed_origin_use_the_api(
    shared_server: tuple[str, Web], owner: User, transactional_db: None
) -> None:
    path, web = shared_server
    token = {"Authorization": f"Bearer {ApiToken.objects.issue(user=owner, name='elsewhere')[1]}"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ", ".join(SENT)}

    preflight = head(web.port, "OPTIONS", path, Origin=ORIGIN, **asks)
    success = head(web.port, "GET", path, Origin=ORIGIN, **token)
    refusal = head(web.port, "GET", path, Origin=ORIGIN)
    from_elsewhere = [
        head(web.port, "OPTIONS", path, Origin=STRANGER, **asks),
        head(web.port, "GET", path, Origin=STRANGER, **token),
        head(web.port, "GET", "/login", Origin=ORIGIN),
    ]

    allowed = [preflight, success, refusal]
    assert [each.status for each in allowed] == [200, 200, 401]
    assert {each.headers[ALLOW_ORIGIN] for each in allowed} == {ORIGIN}
    assert {each.headers["Access-Control-Allow-Credentials"] for each in allowed} == {None}
    assert "origin" in words(success.headers["Vary"])
    assert words(preflight.headers["Access-Control-Allow-Headers"]) >= set(SENT)
    exposed = {"etag", "idempotency-replayed", "location", "retry-after", "x-litevault-version", "x-request-id"}
    assert words(refusal.headers["Access-Control-Expose-Headers"]) == exposed
    assert [each.headers[ALLOW_ORIGIN] for each in from_elsewhere] == [None, None, None]


def test_other_origins_are_not_allowed_by_default(client: Client, db: None) -> None:
    response = client.get("/api/v1/items", headers={"Origin": ORIGIN})

    assert response.status_code == 401
    assert not [name for name in response.headers if name.startswith("Access-Control")]

"""The one shape of all errors, and the id of every response."""

import re
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.testing import capture_logs

from litevault import urls
from litevault.web.errors import CSRF_REFUSED, ORIGIN_REFUSED

SECRET = "sk-secret and what the user wrote"
RAISED: dict[str, Exception] = {
    "crash": RuntimeError(SECRET),
    "operational": OperationalError(SECRET),
    "interface": InterfaceError(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "forbidden": PermissionDenied(SECRET),
    "throttled": Throttled(wait=12.3, detail=SECRET),
    "unforeseen": APIException(SECRET),
}


def plain_view(_request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name]


class ApiView(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, _request: Request, name: str) -> Response:
        raise RAISED[name]


def unrenderable_view(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Django's own words, with local variables", status=418)


urlpatterns = [
    path("plain/<str:name>", plain_view),
    path("api/v1/raised/<str:name>", ApiView.as_view()),
    path("teapot", unrenderable_view),
    *urls.urlpatterns,
]
EXPECTED = {
    "crash": (500, "INTERNAL_ERROR"),
    "operational": (503, "SERVICE_UNAVAILABLE"),
    "interface": (503, "SERVICE_UNAVAILABLE"),
    "suspicious": (400, "INVALID_REQUEST"),
    "forbidden": (403, "FORBIDDEN"),
    "throttled": (429, "RATE_LIMITED"),
    "unforeseen": (500, "INTERNAL_ERROR"),
}
FROM_REST_FRAMEWORK_ALONE = ("throttled", "unforeseen")


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def client(request: pytest.FixtureRequest, settings: Settings) -> Client:
    """Errors have the same shape in debug mode."""
    settings.DEBUG = request.param
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def error_of(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/json"
    assert list(response.json()) == ["error"]
    error: dict[str, Any] = response.json()["error"]
    assert error["requestId"] == response["X-Request-Id"]
    return error


@pytest.mark.parametrize(
    "url",
    [
        *(f"/api/v1/raised/{name}" for name in EXPECTED),
        *(f"/plain/{name}" for name in EXPECTED if name not in FROM_REST_FRAMEWORK_ALONE),
    ],
)
def test_exception_becomes_an_envelope_that_hides_its_text(client: Client, url: str) -> None:
    response = client.get(url)

    assert (response.status_code, error_of(response)["code"]) == EXPECTED[url.rpartition("/")[2]]
    assert SECRET.encode() not in response.content


def test_throttled_client_gets_retry_after(client: Client) -> None:
    response = client.get("/api/v1/raised/throttled")

    assert response["Retry-After"] == "13"


def test_client_gets_retry_after_when_the_database_is_away(client: Client) -> None:
    response = client.get("/api/v1/raised/operational")

    assert response["Retry-After"] == "5"


def test_crash_is_logged_with_its_place_and_without_its_text(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.get("/api/v1/raised/crash")

    said = capfd.readouterr().err
    assert "request.crashed" in said
    assert "RuntimeError" in said
    assert "test_errors.py" in said
    assert SECRET not in said


@pytest.mark.parametrize("url", ["/nope", "/api/v1/nope", "/api/v1/items/", "/api", "/api/v1/", "/a/%00/b", "/admin/x"])
@pytest.mark.django_db
def test_unknown_url_is_an_error_like_any_other(client: Client, url: str) -> None:
    client.force_login(User.objects.create_superuser("boss"))

    response = client.get(url)

    assert (response.status_code, error_of(response)["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("url", ["/nope", "/api/v1/nope"])
def test_browser_gets_an_error_page(client: Client, url: str) -> None:
    response = client.get(url, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert response["X-Request-Id"] in response.content.decode()


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/event-stream", "application/json, text/html"])
def test_client_that_is_no_browser_gets_json(client: Client, accept: str) -> None:
    response = client.get("/api/v1/nope", headers={"Accept": accept})

    assert error_of(response)["code"] == "NOT_FOUND"


def test_error_page_that_is_not_ours_is_replaced(client: Client) -> None:
    response = client.get("/teapot")

    assert (response.status_code, error_of(response)["code"]) == (418, "INVALID_REQUEST")


def test_host_that_is_not_ours_is_a_bad_request(client: Client) -> None:
    response = client.get("/api/v1/items", headers={"Host": "evil.example"})

    assert (response.status_code, error_of(response)["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.django_db
def test_session_without_csrf_token_may_not_change_anything(settings: Settings, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    response = client.post("/api/v1/items", {"rawText": "x"}, content_type="application/json")

    assert (response.status_code, error_of(response)["code"]) == (403, "FORBIDDEN")


@pytest.mark.django_db
def test_login_form_without_csrf_token_is_refused(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)

    response = strict.post("/login", {"username": "a", "password": "b"})

    assert (response.status_code, error_of(response)["code"]) == (403, "FORBIDDEN")


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.mark.django_db
@pytest.mark.parametrize("accept", [{}, BROWSER], ids=["program", "browser"])
@pytest.mark.parametrize("url", ["/api/v1/items", "/login", "/account", "/admin/items/item/"])
@pytest.mark.parametrize(
    ("sent", "secure", "sentence"),
    [
        ({}, False, CSRF_REFUSED),
        ({"X-CSRFToken": "x" * 32}, False, CSRF_REFUSED),
        ({"X-CSRFToken": SECRET}, False, CSRF_REFUSED),
        (ELSEWHERE, False, ORIGIN_REFUSED),
        ({"Origin": "null"}, False, ORIGIN_REFUSED),
        ({"Referer": ELSEWHERE["Origin"]}, True, ORIGIN_REFUSED),
        ({}, True, ORIGIN_REFUSED),
    ],
    ids=["no token", "wrong token", "malformed token", "origin", "hidden origin", "referer", "no referer"],
)
def test_each_failed_csrf_check_has_its_sentence(
    sent: dict[str, str], secure: bool, sentence: str, url: str, accept: dict[str, str]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    client.cookies["csrftoken"] = "c" * 32

    response = client.post(url, secure=secure, headers={**sent, **accept})

    assert response.status_code == 403
    assert sentence in response.text
    assert "FORBIDDEN" in response.text
    assert "permission" not in response.text
    assert SECRET not in response.text
    assert "elsewhere" not in response.text


@pytest.mark.parametrize("accept", [{}, BROWSER], ids=["program", "browser"])
@pytest.mark.parametrize("url", ["/plain/forbidden", "/api/v1/raised/forbidden"])
def test_missing_permission_says_nothing_of_csrf(client: Client, url: str, accept: dict[str, str]) -> None:
    response = client.get(url, headers=accept)

    assert response.status_code == 403
    assert "You do not have the permission for this." in response.text
    assert "CSRF" not in response.text


def test_method_not_allowed_lists_the_allowed_methods(client: Client) -> None:
    response = client.post("/healthz")

    assert (response.status_code, error_of(response)["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("given", ["req-1", "A.b_c-9", "x" * 128])
def test_well_formed_request_id_is_kept(given: str) -> None:
    response = Client().get("/healthz", headers={"X-Request-Id": given})

    assert response["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "a\tb", "é", "<script>"])
def test_other_request_id_is_replaced(given: str) -> None:
    response = Client().get("/healthz", headers={"X-Request-Id": given})

    assert re.fullmatch(r"req-[0-9a-f]{16}", response["X-Request-Id"])


def test_every_request_leaves_one_line_without_its_query(owner: User) -> None:
    client = Client()
    client.force_login(owner)

    with capture_logs() as logs:
        client.get("/api/v1/items?q=private+words")

    (line,) = (event for event in logs if event["event"] == "request.finished")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/items", 200)
    assert line["user_id"] == owner.pk
    assert line["duration_ms"] > 0
    assert "private" not in str(logs)


def test_database_that_is_away_is_no_crash(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a real psycopg error, from a closed port."""
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect("host=127.0.0.1 port=1 user=nobody", connect_timeout=1)
    wrapped = OperationalError()
    wrapped.__cause__ = refused.value
    monkeypatch.setitem(RAISED, "refused", wrapped)
    settings.ROOT_URLCONF = __name__

    with capture_logs() as logs:
        response = Client().get("/api/v1/raised/refused")

    assert (response.status_code, error_of(response)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert [event["error"] for event in logs if event["event"] == "database.unavailable"] == ["OperationalError"]

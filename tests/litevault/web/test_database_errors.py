"""After any database error a client is asked to retry, and a read needs no write."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from structlog.testing import capture_logs

from items.models import Item
from tests.items.api.client import Api, problem
from tests.raising import CANARY, DATA, LATER, raising

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("sqlstate", LATER)
def test_database_error_is_503_with_retry_after(sqlstate: str, owner: User) -> None:
    with raising(sqlstate, on="INSERT ON items"), capture_logs() as logs:
        response = Api(owner).post("/items", {"rawText": "some text"})

    assert problem(response) == (503, "SERVICE_UNAVAILABLE")
    assert response["Retry-After"] == "5"
    assert CANARY not in response.content.decode()
    assert [event["sqlstate"] for event in logs if event["event"] == "database.unavailable"] == [sqlstate]
    assert Api(owner).post("/items", {"rawText": "some text"}).status_code == 201


@pytest.mark.parametrize("sqlstate", DATA)
def test_refused_data_is_a_crash_without_its_text(sqlstate: str, owner: User) -> None:
    with raising(sqlstate, on="INSERT ON items"):
        response = Api(owner).post("/items", {"rawText": "some text"})

    assert problem(response) == (500, "INTERNAL_ERROR")
    assert CANARY not in response.content.decode()


@pytest.mark.parametrize("table", ["api_throttles", "api_tokens"])
def test_read_with_a_token_needs_no_write(table: str, owner: User) -> None:
    Item.objects.capture(owner=owner, raw_text="some text")
    api = Api(owner)

    with raising("25006", on=f"INSERT OR UPDATE ON {table}"):
        response = api.get("/items")

    assert response.status_code == 200
    assert len(response.json()["items"]) == 1


@pytest.mark.parametrize("table", ["api_throttles", "api_tokens"])
def test_other_errors_of_these_writes_are_503(table: str, owner: User) -> None:
    api = Api(owner)

    with raising("53100", on=f"INSERT OR UPDATE ON {table}"):
        response = api.get("/items")

    assert problem(response) == (503, "SERVICE_UNAVAILABLE")


def test_read_only_database_has_a_sentence_of_its_own(owner: User) -> None:
    with raising("25006", on="INSERT ON items"):
        response = Api(owner).post("/items", {"rawText": "some text"})

    assert response.json()["error"]["message"] == "The database is read-only. Changes are possible again in a moment."


def test_browser_of_a_read_only_database_gets_a_page(owner: User) -> None:
    owner.set_password("secret of the owner")
    owner.save()

    with raising("25006", on="INSERT ON django_session"):
        response = Client(raise_request_exception=False).post(
            "/login", {"username": "owner", "password": "secret of the owner"}, headers={"Accept": "text/html"}
        )

    assert response.status_code == 503
    assert b"The database is read-only." in response.content

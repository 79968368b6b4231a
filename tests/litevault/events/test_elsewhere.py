"""What the web server says about events: it has none, and knows who may have them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from litevault.accounts.models import ApiToken


@pytest.fixture
def client(owner: User) -> Client:
    token = ApiToken.objects.issue(user=owner, name="elsewhere")[1]
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("testserver", "http://testserver:8081/api/v1/events?activity=true"),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/api/v1/events?activity=true"),
        ("[::1]:8080", "http://[::1]:8081/api/v1/events?activity=true"),
    ],
)
def test_client_is_sent_on_to_the_port_of_the_events_process(
    client: Client, settings: Settings, host: str, location: str
) -> None:
    settings.EVENTS_PORT = 8081
    settings.ALLOWED_HOSTS = ["*"]

    response = client.get("/api/v1/events", {"activity": "true"}, headers={"Host": host})

    assert (response.status_code, response.headers["Location"]) == (307, location)


def test_browser_does_not_come_back_where_there_are_no_events(client: Client, settings: Settings) -> None:
    settings.EVENTS_PORT = 0

    response = client.get("/api/v1/events", headers={"Accept": "text/event-stream"})

    assert (response.status_code, response.content) == (204, b"")


def test_those_who_do_not_say_who_they_are_are_sent_nowhere(settings: Settings, db: None) -> None:
    settings.EVENTS_PORT = 8081

    assert Client().get("/api/v1/events").status_code == 401
    assert Client().post("/api/v1/events").status_code in {401, 405}


def test_parameter_that_is_not_known_is_named(client: Client) -> None:
    response = client.get("/api/v1/events?actvity=true")

    assert response.json()["error"]["details"]["fields"][0]["field"] == "actvity"

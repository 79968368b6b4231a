"""Checks of the events process and the proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError

from litevault.events.responses import STATE_HEADER
from litevault.operations.doctor import events
from litevault.operations.doctor.web import headers
from tests.hardening.production import PRODUCTION
from tests.litevault.operations.doctor.command import run_doctor
from tests.plugins.commands import CommandStarter
from tests.plugins.events import EventsStarter
from tests.ports import free_port
from tests.privacy.web import web_server
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def proxy(answers: dict[str, tuple[int, str | None]]) -> Iterator[str]:
    """Respond to each path with a status and the header of an events process."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, state = answers[self.path]
            self.send_response(status)
            if state:
                self.send_header(STATE_HEADER, state)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_missing_events_process_is_reported_with_advice(
    listener_connection: object, stub: None, events_connection: psycopg.Connection[Any]
) -> None:
    events_connection.close()

    code, output = run_doctor()

    assert code == 1
    assert "failed events       none is listening" in output


def test_missing_events_process_is_fine_with_no_events(
    listener_connection: object, stub: None, events_connection: psycopg.Connection[Any]
) -> None:
    events_connection.close()

    code, output = run_doctor("--no-events")

    assert code == 0, output


@pytest.mark.parametrize(
    ("healthz", "events", "detail"),
    [
        (502, (401, "listening"), "/healthz answers 502"),
        (400, (401, "listening"), "the name is not in LITEVAULT_ALLOWED_HOSTS"),
        (200, (502, None), "the proxy does not reach the events process"),
        (200, (503, None), "/api/v1/events answers 503"),
        (200, (503, "listening"), "the events process answers 503"),
        (200, (400, "listening"), "the proxy does not pass the Host on"),
        (200, (401, None), "does not lead to the events process"),
        (200, (404, None), "does not lead to the events process"),
        (200, (401, "sweeping"), "a process that receives no notifications"),
    ],
)
def test_misconfigured_proxy_is_reported(
    listener_connection: object, stub: None, healthz: int, events: tuple[int, str | None], detail: str
) -> None:
    with proxy({"/healthz": (healthz, None), "/api/v1/events": events}) as url:
        code, output = run_doctor("--url", url)

    assert code == 1
    assert "failed proxy" in output
    assert detail in output


def test_unreachable_proxy_is_reported(listener_connection: object, stub: None) -> None:
    code, output = run_doctor("--url", f"http://127.0.0.1:{free_port()}")

    assert code == 1
    assert "cannot be reached" in output


def test_working_proxy_passes(listener_connection: object, stub: None) -> None:
    with proxy({"/healthz": (200, None), "/api/v1/events": (401, "listening")}) as url:
        code, output = run_doctor("--url", f"{url}/")

    assert code == 0, output
    assert "leads to the web server and to an events process that is listening" in output


@pytest.mark.parametrize(
    "address", ["vault.example.com", "ftp://vault.example.com", "https://", "https://me:secret@host"]
)
def test_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(CommandError, match="must be https"):
        run_doctor("--url", address)


@pytest.mark.thorough
def test_web_server_is_not_mistaken_for_an_events_process(
    start: CommandStarter,
    start_events: EventsStarter,
) -> None:
    process = start_events(**PRODUCTION)
    with web_server(start, token="", **PRODUCTION) as web:
        from_web = events.proxy(url=web.address)
        without_proxy = headers(url=web.address)
    from_events = events.proxy(url=f"http://127.0.0.1:{process.port}")

    assert not from_web.is_ok
    assert "does not lead to the events process" in from_web.detail
    assert from_events.is_ok
    assert "X_Forwarded_For from a client arrives as X-Forwarded-For" in without_proxy.detail
    assert headers(url=f"http://127.0.0.1:{process.port}").is_ok


def test_events_process_that_cannot_listen_fails_both_checks(
    listener_connection: object,
    stub: None,
    events_connection: psycopg.Connection[Any],
    start: CommandStarter,
) -> None:
    events_connection.close()
    port = free_port()
    nowhere = f"postgresql://litevault@127.0.0.1:{free_port()}/nowhere"
    options = ("-m", "granian", "--interface", "asgi", "--port", str(port), "litevault.asgi:application")
    process = start(program=options, LITEVAULT_LISTEN_DATABASE_URL=nowhere, **PRODUCTION)
    until(lambda: "listener.degraded" in process.log.read_text())
    try:
        code, output = run_doctor("--url", f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)

    assert code == 1
    assert "failed events" in output
    assert "failed proxy        /api/v1/events leads to a process that receives no notifications" in output

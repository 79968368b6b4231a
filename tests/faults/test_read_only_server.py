"""A server that becomes read-only, as a demoted primary does, or one whose provider locks a full disk."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from postgres.embedded.embedded import running_postgres
from tests.embedded import throwaway_folder
from tests.plugins.commands import CommandStarter, starting
from tests.privacy.web import HOST, web_server
from tests.waiting import PATIENCE_SECONDS, until

TEXTS = 40
SLOW_LISTENER = ("-m", "tests.faults.slow_listener", "0.2")
CAPTURE = "INSERT INTO items (owner_id, raw_text) SELECT id, 'A text.' FROM auth_user, generate_series(1, %s)"
ATTEMPTS = "SELECT outcome, count(*) FROM enrichment_attempts GROUP BY 1"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server is the module's own, because ALTER SYSTEM changes all its databases."""
    with throwaway_folder() as folder, running_postgres(folder / "postgres", fsync=False) as url:
        assert manage(url, "migrate", "-v0").returncode == 0
        yield url


@pytest.fixture
def start(tmp_path: Path) -> Iterator[CommandStarter]:
    with starting(tmp_path) as start:
        yield start


def manage(url: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=ours | {"DATABASE_URL": url, "LITEVAULT_DEBUG": "true"},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


@contextmanager
def read_only(url: str) -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute("SET default_transaction_read_only = off")  # of this session, which ends it again
        connected.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connected.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connected.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connected.execute("SELECT pg_reload_conf()")


def sent(port: int, method: str, path: str, *, token: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    body = json.dumps({"rawText": "A text."}) if method == "POST" else None
    connection.request(method, path, body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    response = connection.getresponse()
    connection.close()
    return response


def test_read_only_server_is_waited_for_and_nothing_is_lost(url: str, start: CommandStarter) -> None:
    token = manage(url, "create_token", "owner", "--create-user", "--name", "test").stdout.split()[-1]
    listener = start("--concurrency", "4", program=SLOW_LISTENER, DATABASE_URL=url)
    listener.until_it_listens()
    with (
        web_server(start, token=token, DATABASE_URL=url) as web,
        web_server(start, token=token, interface="asgi", DATABASE_URL=url) as events,
        psycopg.connect(url, autocommit=True) as watcher,
    ):
        watcher.execute(CAPTURE, [TEXTS])
        until(lambda: dict(watcher.execute(ATTEMPTS).fetchall()))

        with read_only(url):
            until(lambda: "verdicts.delayed" in listener.log.read_text())
            posted = sent(web.port, "POST", "/api/v1/items", token=token)
            listed = sent(web.port, "GET", "/api/v1/items", token=token)
            streamed = sent(events.port, "GET", "/api/v1/events", token=token)
            ready = json.loads(web.call("GET", "/readyz"))["checks"]
            metrics = web.metrics()
            captured = manage(url, "capture", "--owner", "owner", text="A text.")
            doctor = manage(url, "doctor")
            has_ended = listener.poll() is not None

        until(lambda: dict(watcher.execute(ATTEMPTS).fetchall()) == {"SUCCEEDED": TEXTS})
        posted_later = sent(web.port, "POST", "/api/v1/items", token=token)

    assert (posted.status, posted.headers["Retry-After"]) == (503, "5")
    assert (listed.status, streamed.status, posted_later.status) == (200, 200, 201)
    assert ready == {"database": "ok", "writable": "failed", "migrations": "ok", "triggers": "ok", "listener": "ok"}
    assert "litevault_database_writable 0.0" in metrics
    assert captured.returncode == 1
    assert captured.stderr.splitlines()[-1].startswith("CommandError: The database is read-only.")
    assert "is read-only" in doctor.stdout
    assert not has_ended
    assert listener.log.read_text().count("claim.failed") <= 2, "it is logged once"

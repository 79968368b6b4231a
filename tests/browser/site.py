"""A web server and a listener as processes of their own, on the database that Django is connected to."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from litevault.postgres.server import free_port
from tests.end_to_end.conftest import PROJECT, database_url
from tests.waiting import until

HOST = "127.0.0.1"
LISTENER = ("manage.py", "enrich_listener")
WEB = (
    *("-m", "granian", "--interface", "wsgi", "--host", HOST, "--blocking-threads", "4"),
    *("--workers-kill-timeout", "5", "litevault.wsgi:application"),
)


@contextmanager
def running_site(folder: Path, *, listener: Sequence[str] = LISTENER, **environment: str) -> Iterator[str]:
    """Yields the address. What the processes say is logged to the folder."""
    port = free_port()
    with (
        _running(folder / "web.log", *WEB, "--port", str(port)) as web,
        _running(folder / "listener.log", *listener, **environment) as worker,
    ):
        until(lambda: _answers(port) or web.poll() is not None)
        until(lambda: "listener.connected" in (folder / "listener.log").read_text() or worker.poll() is not None)
        for process in (web, worker):
            assert process.poll() is None, "it ended at once"
        yield f"http://{HOST}:{port}"


@contextmanager
def _running(log: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    environment = {
        "DATABASE_URL": database_url(),
        "LITEVAULT_DEBUG": "true",
        "LITEVAULT_SECRET_KEY": settings.SECRET_KEY,  # so that a session made here is valid there
        "LITEVAULT_THROTTLE_PER_MINUTE": "0",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=ours | environment | more,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        # Killed, the web server would leave its worker behind.
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()

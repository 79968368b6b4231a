"""An HTTP client of the real web server, which records the responses."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litevault.settings import DEVELOPMENT_MARK
from tests.ports import free_port
from tests.soak.record import Answer
from tests.soak.server import PROJECT, environment
from tests.waiting import until

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 10
STOP_SECONDS = 30


class Client:
    def __init__(self, port: int, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._port = port
        self._timeout = timeout

    def call(self, owner: str, method: str, path: str, body: object = None, *, key: str = "") -> tuple[Answer, str]:
        """Send a request, and return its outcome and the error code."""
        headers = {"X-Dev-User-Id": owner, "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self._timeout)
        try:
            connection.request(method, path, json.dumps(body or {}), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return Answer.UNKNOWN, "no answer"
        finally:
            connection.close()
        if answer.status < http.HTTPStatus.BAD_REQUEST:
            return Answer.DONE, ""
        code = f"{answer.status} {json.loads(content)['error']['code']}"
        return (Answer.UNKNOWN if answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else Answer.REFUSED), code

    def is_answered(self) -> bool:
        return self.call("nobody", "GET", "/healthz")[0] is Answer.DONE


@contextmanager
def web_server(url: str, log: Path) -> Iterator[Client]:
    port = free_port()
    options = ["--interface", "wsgi", "--host", HOST, "--port", str(port), "--blocking-threads", "8"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, "--workers-kill-timeout", "1", "litevault.wsgi:application"],
            cwd=PROJECT,
            env=environment(
                DATABASE_URL=url,
                LITEVAULT_THROTTLE_PER_MINUTE="0",
                LITEVAULT_REQUESTS_AT_ONCE="1000",
                **{DEVELOPMENT_MARK: "1"},
            ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        client = Client(port)
        until(client.is_answered)
        yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)

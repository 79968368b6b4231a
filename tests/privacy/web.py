"""A client of the web server, which runs as a process of its own."""

import http.client
import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from tests.plugins.commands import CommandStarter
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

HOST = "127.0.0.1"


class Web:
    """Sends requests with the owner's token."""

    def __init__(self, port: int, token: str, *, metrics_port: int = 0) -> None:
        self.address = f"http://{HOST}:{port}"
        self.port = port
        self.metrics_port = metrics_port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None, **headers: str) -> str:
        """Return the body of the response, of any status."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, content, self._headers | headers)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metrics(self) -> str:
        return Web(self.metrics_port, token="").call("GET", "/metrics")

    def capture(self, raw_text: str, *, key: str) -> None:
        answer = self.call("POST", "/api/v1/items", {"rawText": raw_text}, **{"Idempotency-Key": key})
        assert json.loads(answer)["rawText"] == raw_text

    def answers(self) -> bool:
        try:
            return bool(self.call("GET", "/healthz"))
        except OSError:
            return False


@contextmanager
def web_server(
    start: CommandStarter, *, token: str, interface: str = "wsgi", more: Sequence[str] = (), **environment: Any
) -> Iterator[Web]:
    """Run the web server, or with the interface asgi the events process."""
    port = free_port()
    metrics_setting = {"wsgi": "LITEVAULT_METRICS_PORT", "asgi": "LITEVAULT_EVENTS_METRICS_PORT"}[interface]
    options = ("--interface", interface, "--host", HOST, "--port", str(port), "--log-level", "debug", *more)
    with TemporaryDirectory() as folder:
        environment = {metrics_setting: str(free_port()), "TMPDIR": folder, **environment}
        process = start(*options, f"litevault.{interface}:application", program=("-m", "granian"), **environment)
        try:
            web = Web(port, token, metrics_port=int(environment[metrics_setting]))
            until(lambda: web.answers() and Web(web.metrics_port, token="").answers())
            yield web
        finally:
            # Killed, as other processes are at the end of a test, it would leave its worker behind.
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)

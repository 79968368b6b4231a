"""What a listener says of itself over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever watches it."""

import argparse
import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from django.core.management.base import CommandError
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from enrichment import metrics

LOOPBACK = "127.0.0.1"
LOOP_DEADLINE_SECONDS = 2.0
CLIENT_DEADLINE_SECONDS = 5.0
# How long the end of the process may wait for this server.
STOP_SECONDS = 0.1


class Exposition(ThreadingHTTPServer):
    """Answers in threads that end with the process, so that a scrape never holds up the loop."""

    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.loop: asyncio.AbstractEventLoop | None = None
        super().__init__((address, port), Handler)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer for as long as the block lasts, for the loop that enters it."""
        self.loop = asyncio.get_running_loop()
        thread = threading.Thread(
            target=self.serve_forever, args=(STOP_SECONDS,), name="litevault-metrics", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()

    def is_loop_alive(self) -> bool:
        """Whether the loop takes a turn when it is asked to. A process that hangs still accepts connections."""
        turned = threading.Event()
        cast(asyncio.AbstractEventLoop, self.loop).call_soon_threadsafe(turned.set)
        return turned.wait(LOOP_DEADLINE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    server: Exposition
    timeout = CLIENT_DEADLINE_SECONDS

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(HTTPStatus.OK, generate_latest(metrics.REGISTRY), CONTENT_TYPE_PLAIN_0_0_4)
            case "/healthz":
                self._say(is_ok=self.server.is_loop_alive())
            case "/readyz":
                self._say(is_ok=self.server.is_loop_alive() and metrics.listener.is_healthy)
            case _:
                self._answer(HTTPStatus.NOT_FOUND, b"Here are /metrics, /healthz and /readyz.\n", "text/plain")

    def _say(self, *, is_ok: bool) -> None:
        if is_ok:
            self._answer(HTTPStatus.OK, b'{"status": "ok"}\n', "application/json")
        else:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b'{"status": "unavailable"}\n', "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Which Python it is, is nobody's business."""
        return "LiteVault"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: whoever asks comes every few seconds."""


def exposed(address: str, port: int) -> Exposition:
    """Take the port at once, so that a start which cannot have it ends with a sentence."""
    try:
        return Exposition(address, port)
    except OSError as error:
        raise CommandError(f"--metrics-port: {address} port {port} cannot be had: {error.strerror}.") from None


def ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("must be an IP address") from None

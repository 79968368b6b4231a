"""The HTTP server of a worker process: /metrics for Prometheus, /healthz and /readyz for probes."""

import argparse
import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.core.management.base import CommandError
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from enrichment import metrics

LOOPBACK = "127.0.0.1"
LOOP_DEADLINE_SECONDS = 2.0
CLIENT_DEADLINE_SECONDS = 5.0
# The longest delay of a stop by this server.
STOP_SECONDS = 0.1


class MetricsServer(ThreadingHTTPServer):
    """Serves in daemon threads, so that a scrape never blocks the event loop."""

    daemon_threads = True
    loop: asyncio.AbstractEventLoop  # of the caller of serving()

    def __init__(self, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), Handler)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve during the block, on behalf of the running event loop."""
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
        """Return whether the event loop runs a callback in time."""
        responded = threading.Event()
        self.loop.call_soon_threadsafe(responded.set)
        return responded.wait(LOOP_DEADLINE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = CLIENT_DEADLINE_SECONDS

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._send(HTTPStatus.OK, generate_latest(metrics.REGISTRY), CONTENT_TYPE_PLAIN_0_0_4)
            case "/healthz":
                self._send_health(is_ok=self.server.is_loop_alive())
            case "/readyz":
                self._send_health(is_ok=self.server.is_loop_alive() and metrics.listener.is_healthy)
            case _:
                self._send(HTTPStatus.NOT_FOUND, b"Here are /metrics, /healthz and /readyz.\n", "text/plain")

    def _send_health(self, *, is_ok: bool) -> None:
        if is_ok:
            self._send(HTTPStatus.OK, b'{"status": "ok"}\n', "application/json")
        else:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, b'{"status": "unavailable"}\n', "application/json")

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Hide the version of Python."""
        return "LiteVault"

    def log_message(self, *_args: Any, **_options: Any) -> None:
        """Log nothing: probes come every few seconds."""


def bind_metrics_server(address: str, port: int) -> MetricsServer:
    """Bind the port. Raise CommandError if it is not available."""
    try:
        return MetricsServer(address, port)
    except OSError as error:
        raise CommandError(f"--metrics-port: {address} port {port} is not available: {error.strerror}.") from None


def ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("must be an IP address") from None

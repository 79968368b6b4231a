"""A second HTTP server in a process, on a port of its own: /metrics for Prometheus, /healthz and /readyz for probes.

It responds to any Host, because Prometheus and probes use IP addresses.
"""

import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeAlias

import structlog
from django.conf import settings
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

logger = structlog.get_logger(__name__)

LOOP_DEADLINE_SECONDS = 2.0
CLIENT_DEADLINE_SECONDS = 5.0
CONNECTION_SECONDS = 15.0
"""From accepting a client to the end of the response. Prometheus waits for 10 seconds by default."""
MOST_CONNECTIONS = 32
BIND_AGAIN_SECONDS = 1.0


class Page(NamedTuple):
    body: bytes
    content_type: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


Pages: TypeAlias = Mapping[str, Callable[[], Page]]


class BuildInfo(Collector):
    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("litevault_build_info", "1, with the version of the process.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info


def metrics_page(registry: Collector) -> Page:
    return Page(generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4)


def health_page(*, is_ok: bool, **details: Any) -> Page:
    status = HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE
    content = {"status": "ok" if is_ok else "unavailable", **details}
    return Page(json.dumps(content).encode() + b"\n", status=status)


def loop_pages(loop: asyncio.AbstractEventLoop, registry: Collector, *, is_ready: Callable[[], bool]) -> Pages:
    """Return the pages of a process that runs on an event loop."""
    return {
        "/metrics": lambda: metrics_page(registry),
        "/healthz": lambda: health_page(is_ok=is_loop_alive(loop)),
        "/readyz": lambda: health_page(is_ok=is_loop_alive(loop) and is_ready()),
    }


def is_loop_alive(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether the event loop runs a callback in time."""
    responded = threading.Event()
    loop.call_soon_threadsafe(responded.set)
    return responded.wait(LOOP_DEADLINE_SECONDS)


class MetricsServer(ThreadingHTTPServer):
    """Serves in daemon threads, so that a scrape never blocks an event loop.

    It closes new connections while there are MOST_CONNECTIONS, and each one after CONNECTION_SECONDS.
    """

    daemon_threads = True

    def __init__(self, address: str, port: int, pages: Pages) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.pages = pages
        self._accepted_at: dict[socket.socket, float] = {}
        super().__init__((address, port), Handler)

    def verify_request(self, _request: Any, _client_address: object) -> bool:
        return len(self._accepted_at) < MOST_CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        self._accepted_at[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._accepted_at.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off connections that last too long. The server calls this between clients, and twice a second."""
        limit = time.monotonic() - CONNECTION_SECONDS
        for request, accepted_at in self._accepted_at.copy().items():
            if accepted_at < limit:
                with suppress(OSError):  # closed meanwhile
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Log no more than the name of the exception."""
        logger.warning("metrics.request_failed", error=type(sys.exception()).__name__)


class Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = CLIENT_DEADLINE_SECONDS

    def do_GET(self) -> None:
        make_page = self.server.pages.get(self.path.partition("?")[0])
        missing = Page(b"Here are /metrics, /healthz and /readyz.\n", "text/plain", HTTPStatus.NOT_FOUND)
        body, content_type, status = make_page() if make_page else missing
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


def serve_in_background(
    address: str, port: int, pages: Pages, *, wait_for_turn: Callable[[], None] = lambda: None
) -> None:
    """Serve in a daemon thread for as long as the process lives, once it is its turn and the port is free."""

    def serve() -> None:
        wait_for_turn()
        _bind(address, port, pages).serve_forever()

    threading.Thread(target=serve, name="litevault-metrics", daemon=True).start()


def _bind(address: str, port: int, pages: Pages) -> MetricsServer:
    """Wait for the port, which the process before this one may still hold."""
    is_logged = False
    while True:
        try:
            return MetricsServer(address, port, pages)
        except OSError as error:
            if not is_logged:
                logger.error("metrics.port_unavailable", address=address, port=port, reason=error.strerror)
            is_logged = True
            time.sleep(BIND_AGAIN_SECONDS)

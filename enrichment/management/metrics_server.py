"""The port of a listener for metrics and probes."""

import argparse
import asyncio
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from enrichment import metrics
from postgres.metrics_server import MetricsServer, Pages, health_page, is_loop_alive, metrics_page

LOOPBACK = "127.0.0.1"
# The longest delay of a stop by this server.
STOP_SECONDS = 0.1


@contextmanager
def serving(server: MetricsServer) -> Iterator[None]:
    """Serve during the block, on behalf of the running event loop."""
    server.pages = pages(asyncio.get_running_loop())
    thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), name="litevault-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def pages(loop: asyncio.AbstractEventLoop) -> Pages:
    return {
        "/metrics": lambda: metrics_page(metrics.REGISTRY),
        "/healthz": lambda: health_page(is_ok=is_loop_alive(loop)),
        "/readyz": lambda: health_page(is_ok=is_loop_alive(loop) and metrics.listener.is_healthy),
    }


def bind_metrics_server(address: str, port: int) -> MetricsServer:
    """Bind the port. Raise CommandError if it is not available."""
    try:
        return MetricsServer(address, port, {})
    except OSError as error:
        raise CommandError(f"--metrics-port: {address} port {port} is not available: {error.strerror}.") from None


def ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("must be an IP address") from None

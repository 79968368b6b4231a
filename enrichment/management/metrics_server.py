"""The port of a listener for metrics and probes."""

import argparse
import asyncio
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from enrichment import metrics
from postgres.metrics_server import MetricsServer, loop_pages

LOOPBACK = "127.0.0.1"
# The longest delay of a stop by this server.
STOP_SECONDS = 0.1


@contextmanager
def serving(server: MetricsServer) -> Iterator[None]:
    """Serve during the block, on behalf of the running event loop."""
    loop = asyncio.get_running_loop()
    server.pages = loop_pages(loop, metrics.REGISTRY, is_ready=lambda: metrics.listener.is_healthy)
    thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), name="litevault-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


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

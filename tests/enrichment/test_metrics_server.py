"""The metrics server of a process whose event loop hangs."""

import urllib.error
import urllib.request

import pytest

from enrichment.management.metrics_server import LOOPBACK, bind_metrics_server, serving
from postgres import metrics_server


def status_of(url: str) -> int:
    """Request the URL from the event loop, which hangs meanwhile."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # our own address
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_loop_that_hangs_is_neither_alive_nor_ready(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "LOOP_DEADLINE_SECONDS", 0.1)
    server = bind_metrics_server(LOOPBACK, 0)

    with serving(server):
        status = status_of(f"http://{LOOPBACK}:{server.server_port}{path}")

    assert status == 503


async def test_metrics_are_served_while_the_loop_hangs() -> None:
    server = bind_metrics_server(LOOPBACK, 0)

    with serving(server):
        status = status_of(f"http://{LOOPBACK}:{server.server_port}/metrics")

    assert status == 200

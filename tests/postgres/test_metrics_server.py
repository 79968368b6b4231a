"""The metrics server limits how many clients it serves at once, and for how long."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from postgres import metrics_server
from postgres.metrics_server import MetricsServer, health_page
from tests.waiting import PATIENCE_SECONDS, until

HOST = "127.0.0.1"
REQUEST = b"GET /healthz HTTP/1.0\r\n\r\n"


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    server = MetricsServer(HOST, 0, {"/healthz": lambda: health_page(is_ok=True)})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def connected(server: MetricsServer) -> socket.socket:
    return socket.create_connection((HOST, server.server_port), timeout=PATIENCE_SECONDS)


def is_served(server: MetricsServer) -> bool:
    with connected(server) as client, suppress(ConnectionError):
        client.sendall(REQUEST)
        return client.recv(1000).startswith(b"HTTP/1.0 200 ")
    return False


def is_sent(client: socket.socket, content: bytes) -> bool:
    with suppress(ConnectionError):
        client.sendall(content)
        return True
    return False


def test_client_beyond_the_limit_is_refused_until_one_leaves(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "MOST_CONNECTIONS", 2)
    with ExitStack() as stack:
        first, _ = (stack.enter_context(connected(server)) for _ in range(2))
        assert not is_served(server)

        first.close()

        until(lambda: is_served(server))


def test_client_that_sends_slowly_is_cut_off(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "CONNECTION_SECONDS", 0.3)

    with connected(server) as client:
        until(lambda: not is_sent(client, b"G"))

    assert is_served(server)

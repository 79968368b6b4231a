"""The web server as the README starts it: granian, with so many workers."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from benchmarks.running import LOG, open_log, until
from benchmarks.scratch import PROJECT
from postgres.embedded.processes import dying_with_parent
from postgres.embedded.server import free_port

THREADS = 16


@contextmanager
def web_server(*, workers: int, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """Yields the process, its address, and how many seconds it took until it answered."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    options = ["--workers", str(workers), "--blocking-threads", str(THREADS), "--workers-kill-timeout", "2"]
    begun_at = time.perf_counter()
    with open_log() as log:
        process = subprocess.Popen(
            [*command, *options, "--log-level", "error", "litevault.wsgi:application"],
            cwd=PROJECT,
            env=os.environ | {"LITEVAULT_ALLOWED_HOSTS": "127.0.0.1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
    try:
        until(lambda: answers(port) or process.poll() is not None, seconds=60)
        assert process.poll() is None, f"The web server has ended by itself: see {LOG}."
        yield process, f"http://127.0.0.1:{port}", time.perf_counter() - begun_at
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Whatever it says, it is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND)
    except OSError:
        return False
    finally:
        connection.close()

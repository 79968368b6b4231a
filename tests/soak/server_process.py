"""Owns a PostgreSQL server and controls it on command: python -m tests.soak.server_process FOLDER ADDRESSES.

A process of its own, because only one with a single thread can start the server safely, and because the server ends
with it, however the soak ends. Each line on standard input is a command, and is answered by one line.
"""

import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

from postgres.embedded.locks import FileLock, within
from postgres.embedded.server import Server

STOPS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "killed": signal.SIGKILL}
PATIENCE_SECONDS = 60


def main() -> None:
    server = Server(Path(sys.argv[1]), fsync=False, addresses=sys.argv[2])
    url = ""
    for line in sys.stdin:
        command = line.strip()
        if command == "start":
            url = start(server, url)
            print(url, flush=True)
        else:
            server.process.send_signal(STOPS[command])
            server.process.wait(PATIENCE_SECONDS)
            print("stopped", flush=True)
    if url and server.process.poll() is None:
        server.stop()


def start(server: Server, url: str) -> str:
    """Start the server at its former address, once its former processes, which hold the lock, have ended."""
    with FileLock(server.folder / "server.lock") as life:
        if not within(PATIENCE_SECONDS, life.try_exclusive):
            sys.exit("The server that was stopped does not come to its end.")
        if not url:
            return server.start(life)
        port = urlsplit(url).port
        assert port
        server._start_on(port, life)
        return url


if __name__ == "__main__":
    main()

"""The process that owns the server: starts it, waits for the last user to leave, and stops it.

Started by `embedded.running_postgres` as ``python -m postgres.embedded.keeper FOLDER fsync|no-fsync``.
It writes one line to standard output: ``ready``, or an error message.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.locks import FileLock, within
from postgres.embedded.secret_file import write_secret
from postgres.embedded.server import Server, stop_orphan

READY = "ready"
TAKEOVER_SECONDS = 30


def main() -> None:
    detach()
    folder, fsync = Path(sys.argv[1]), sys.argv[2] == "fsync"
    try:
        keep(folder, fsync=fsync)
    except PostgresUnavailable as error:
        report(str(error))
        sys.exit(1)


def keep(folder: Path, *, fsync: bool) -> None:
    """Run a server while it has users. Raises PostgresUnavailable when it cannot start."""
    server = Server(folder, fsync=fsync)
    url_file = folder / "url"
    # Both are held until this process has ended.
    keeper_lock, server_lock = FileLock(folder / "keeper.lock"), FileLock(folder / "server.lock")
    if not within(TAKEOVER_SECONDS, keeper_lock.try_exclusive):
        raise PostgresUnavailable(f"Another process already runs the server in {folder}. Try again.")
    lock_data(server_lock, server)
    url = server.start(server_lock)
    write_secret(url_file, url)
    report(READY)
    serve(server, folder / "users.lock")
    url_file.unlink(missing_ok=True)


def detach() -> None:
    """Leave the parent, which need not wait, and its session, so that Ctrl-C does not reach this process."""
    if os.fork():
        os._exit(0)
    os.setsid()


def lock_data(server_lock: FileLock, server: Server) -> None:
    if server_lock.try_exclusive():
        return
    stop_orphan(server.data.path)
    if not within(TAKEOVER_SECONDS, server_lock.try_exclusive):
        raise PostgresUnavailable(
            f"An older server still uses {server.data.path}. Stop it (its process id is the first line of "
            "postmaster.pid there), then try again."
        )


def serve(server: Server, users_lock: Path) -> None:
    """Wait until the server has ended, after its last user or by itself."""

    def stop_after_last_user() -> None:
        with FileLock(users_lock) as users:
            users.wait_exclusive()
            server.stop()

    signal.signal(signal.SIGTERM, lambda *_: server.process.send_signal(signal.SIGINT))
    threading.Thread(target=stop_after_last_user, daemon=True).start()
    server.process.wait()


def report(line: str) -> None:
    """Write a line to the process that started this one, which may be gone, and close the pipe."""
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()

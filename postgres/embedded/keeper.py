"""The process that owns the server: it starts it, waits until nobody uses it any more, and stops it.

Started by `embedded.running_postgres` as ``python -m postgres.embedded.keeper FOLDER fsync|no-fsync``.
It answers with one line on standard output: ``ready``, or what to do.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.locks import FileLock, within
from postgres.embedded.server import Server, stop_orphan

READY = "ready"
TAKEOVER_SECONDS = 30


def main() -> None:
    detach()
    folder, fsync = Path(sys.argv[1]), sys.argv[2] == "fsync"
    try:
        keep(folder, fsync=fsync)
    except PostgresUnavailable as error:
        answer(str(error))
        sys.exit(1)


def keep(folder: Path, *, fsync: bool) -> None:
    """Keep a server for as long as somebody uses it. Raises PostgresUnavailable when it cannot start."""
    server = Server(folder, fsync=fsync)
    url_file = folder / "url"
    # Both stay held until this process is gone, so that whoever waits for them waits for that, too.
    keeping, life = FileLock(folder / "keeper.lock"), FileLock(folder / "server.lock")
    if not within(TAKEOVER_SECONDS, keeping.try_own):
        raise PostgresUnavailable(f"Another process already keeps the server in {folder}. Try again.")
    own_the_data(life, server)
    url = server.start(life)
    write_secret(url_file, url)
    answer(READY)
    serve(server, folder / "users.lock")
    url_file.unlink(missing_ok=True)


def detach() -> None:
    """Leave the session, so that Ctrl-C in a terminal does not reach us, and the parent, so that it need not wait."""
    if os.fork():
        os._exit(0)
    os.setsid()


def own_the_data(life: FileLock, server: Server) -> None:
    if life.try_own():
        return
    stop_orphan(server.data.path)
    if not within(TAKEOVER_SECONDS, life.try_own):
        raise PostgresUnavailable(
            f"An older server still works on {server.data.path}. End it (its process id is the first line of "
            "postmaster.pid there), then try again."
        )


def serve(server: Server, users_lock: Path) -> None:
    """Return when the server has ended: after its last user, or by itself."""

    def stop_after_last_user() -> None:
        with FileLock(users_lock) as users:
            users.wait_to_own()
            server.stop()

    signal.signal(signal.SIGTERM, lambda *_: server.process.send_signal(signal.SIGINT))
    threading.Thread(target=stop_after_last_user, daemon=True).start()
    server.process.wait()


def write_secret(path: Path, text: str) -> None:
    """Write all of it or nothing, for our own eyes only."""
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)


def answer(line: str) -> None:
    """Tell whoever started us, and let go of the pipe. They may be gone already."""
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()

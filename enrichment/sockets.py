"""What the socket underneath a connection knows, and how to be rid of one whose other side is silent."""

import select
import socket
from contextlib import suppress

from psycopg import BaseConnection


def cut(connection: "BaseConnection[object] | None") -> None:
    """Shut the connection's socket down, from any thread: whatever waits for it fails at once.

    Closing or cancelling instead would talk to the silent server once more, and hang.
    """
    if connection is None or connection.closed:
        return
    with suppress(OSError):
        borrowed = socket.socket(fileno=connection.fileno())
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def is_quiet(connection: "BaseConnection[object] | None") -> bool:
    """Whether the server has said nothing that nobody asked for: it says so when it ends a connection.

    False when there is no connection. One that is half-open is quiet, too; only a deadline finds that.
    """
    if connection is None or connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)

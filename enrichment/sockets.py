"""How to be rid of a connection whose other side is silent."""

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

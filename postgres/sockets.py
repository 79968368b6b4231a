"""The socket of a connection: shut it down, or check whether the server has sent anything."""

import select
import socket
from contextlib import suppress
from typing import Any

from psycopg import BaseConnection


def cut(connection: BaseConnection[Any] | None) -> None:
    """Shut down the connection's socket, from any thread, so that every call that waits for it fails at once.

    Closing or cancelling would send to the silent server again, and hang.
    """
    if connection is None or connection.closed:
        return
    with suppress(OSError):
        borrowed = socket.socket(fileno=connection.fileno())
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def is_quiet(connection: BaseConnection[Any] | None) -> bool:
    """Return whether the connection is open and the server has sent nothing, as it does before it closes one.

    A half-open connection is quiet, too. Only a deadline detects that.
    """
    if connection is None or connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)

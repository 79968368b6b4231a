"""What the connections of the pool wait for, and whether another request should wait as well.

A COMMIT waits for a synchronous standby for as long as that is away. statement_timeout does not end the wait, and the
server does not notice that its client has left. Cancelling would make the change visible, although a failover may still
undo it. So the client leaves, and the session of the server goes on waiting: such sessions are counted by keeping their
sockets open, because nothing else would keep retries from using up max_connections.
"""

import os
import select
import socket
import threading
import time
from collections import deque
from typing import Any

from psycopg import BaseConnection, OperationalError

POOL_CONNECTIONS = 12
"""Less than a web worker has threads (--blocking-threads): probes need the others."""

SLOW_SECONDS = 2.0
MANY = POOL_CONNECTIONS // 2
MOST_LEFT = 2 * POOL_CONNECTIONS
LEFT_SECONDS = 600.0
"""After that the server is taken to have ended a session that it left without an answer."""


class StatementTimeout(OperationalError):
    """The database did not answer before the deadline. The statement may have been executed, or not."""


class Waits:
    """The statements that the server has not answered, of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[int, float] = {}
        self._left: deque[tuple[socket.socket, float]] = deque()
        self._unanswered_since: float | None = None

    def begin(self, connection: BaseConnection[Any]) -> None:
        self._begun[id(connection)] = time.monotonic()

    def end(self, connection: BaseConnection[Any]) -> None:
        self._begun.pop(id(connection), None)

    def begin_connecting(self) -> None:
        if self._unanswered_since is None:
            self._unanswered_since = time.monotonic()

    def record_answer(self) -> None:
        self._unanswered_since = None

    def are_many(self) -> bool:
        """Return whether half of the connections wait for long, or none can be made: one more would only wait, too."""
        slow_since = time.monotonic() - SLOW_SECONDS
        if self._unanswered_since is not None and self._unanswered_since < slow_since:
            return True
        return sum(begun < slow_since for begun in list(self._begun.values())) >= MANY

    def leave(self, connection: BaseConnection[Any]) -> None:
        """Close the connection, but keep its socket, to see when the server has answered."""
        ours, theirs = socket.socketpair()
        with ours, theirs, self._lock:
            number = connection.fileno()
            self._left.append((socket.socket(fileno=os.dup(number)), time.monotonic()))
            os.dup2(ours.fileno(), number)  # else libpq, or a pooler that it tells, would end the connection
            if len(self._left) > MOST_LEFT:
                self._left.popleft()[0].close()
        connection.pgconn.finish()

    def are_many_left(self) -> bool:
        """Return whether many sessions of the server are still at work for requests that have ended."""
        with self._lock:
            poll = select.poll()
            for left, _ in self._left:
                poll.register(left, select.POLLIN)
            ended = {number for number, _ in poll.poll(0)}
            for left, since in list(self._left):
                if left.fileno() in ended or since < time.monotonic() - LEFT_SECONDS:
                    self._left.remove((left, since))
                    left.close()
            return len(self._left) >= MANY


WAITS = Waits()

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

from postgres.backoff import Backoff

POOL_CONNECTIONS = 12
"""Less than a web worker has threads (--blocking-threads): probes need the others."""

SLOW_SECONDS = 2.0
UNREACHABLE_SECONDS = 3.0
"""More than the share of a silent host that is tried first."""

MANY = POOL_CONNECTIONS // 2
MOST_LEFT = 2 * POOL_CONNECTIONS
TRIAL = Backoff(first_seconds=5.0, longest_seconds=3600.0)
"""The pause between trial changes.

A dead server behind a proxy never closes its connections, so the count alone would refuse changes for ever.
"""


class StatementTimeout(OperationalError):
    """The database did not answer before the deadline. The statement may have been executed, or not."""


class Waits:
    """The statements that the server has not answered, of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[int, float] = {}
        self._left: deque[socket.socket] = deque()
        self._trials = 0
        self._next_trial_at = 0.0
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
        now, unanswered_since = time.monotonic(), self._unanswered_since
        if unanswered_since is not None and now - unanswered_since > UNREACHABLE_SECONDS:
            return True
        return sum(now - begun > SLOW_SECONDS for begun in list(self._begun.values())) >= MANY

    def leave(self, connection: BaseConnection[Any]) -> None:
        """Close the connection, but keep its socket, to see when the server has answered."""
        ours, theirs = socket.socketpair()
        with ours, theirs, self._lock:
            number = connection.fileno()
            self._left.append(socket.socket(fileno=os.dup(number)))
            self._next_trial_at = time.monotonic() + TRIAL.seconds(self._trials + 1)
            os.dup2(ours.fileno(), number)  # else libpq, or a pooler that it tells, would end the connection
            if len(self._left) > MOST_LEFT:
                self._left.popleft().close()
        connection.pgconn.finish()

    def may_change(self) -> bool:
        """Return False while many sessions of the server are at work for requests that ended, except for a trial."""
        with self._lock:
            self._drop_answered()
            if len(self._left) < MANY:
                return True
            if time.monotonic() < self._next_trial_at:
                return False
            self._trials += 1
            self._next_trial_at = time.monotonic() + TRIAL.seconds(self._trials + 1)
            return True

    def are_left(self) -> bool:
        """Return whether sessions of the server may be at work for requests that ended."""
        return bool(self._left)

    def record_change(self) -> None:
        """Changes are committed again, and do not depend on those that were given up."""
        with self._lock:
            while self._left:
                self._left.popleft().close()
            self._trials = 0

    def _drop_answered(self) -> None:
        poll = select.poll()
        for left in self._left:
            poll.register(left, select.POLLIN)
        answered = {number for number, _ in poll.poll(0)}
        for left in [left for left in self._left if left.fileno() in answered]:
            self._left.remove(left)
            left.close()


WAITS = Waits()

"""The workers that are listening now. There is no registry: the name of a listener's connection has the worker's id."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from items.queue import LISTENER_NAME

# A role without pg_read_all_stats sees only the name and process of the sessions of other roles.
# The state of a listener's session changes at each of its probes.
LISTENING = """
SELECT application_name, pid, coalesce(host(client_addr), client_hostname), backend_start,
       now() - backend_start, now() - state_change
FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, %s)
ORDER BY backend_start, pid
"""


class Connection(Protocol):
    """A connection of Django or psycopg."""

    def cursor(self) -> Any: ...


class ListeningWorker(NamedTuple):
    """The last four are None when the database role may not see them; the host also for a Unix socket."""

    application_name: str
    pid: int
    host: str | None
    connected_at: datetime | None
    connected_for: timedelta | None
    seen_ago: timedelta | None

    @property
    def id(self) -> str:
        """The id, or its end if it is long: see items.queue.listener_name."""
        return self.application_name.removeprefix(LISTENER_NAME).strip()


def listening_workers(connection: Connection) -> Sequence[ListeningWorker]:
    with connection.cursor() as cursor:
        cursor.execute(LISTENING, [LISTENER_NAME])
        return [ListeningWorker(*row) for row in cursor.fetchall()]

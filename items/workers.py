"""Which workers are listening now. There is no registry: a listener's connection carries its worker's id."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from items.queue import LISTENER_NAME

# PostgreSQL shows a role without pg_read_all_stats only the name and process of other roles' sessions.
# A listener's state changes at each of its probes.
LISTENING = """
SELECT application_name, pid, coalesce(host(client_addr), client_hostname), backend_start,
       now() - backend_start, now() - state_change
FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, %s)
ORDER BY backend_start, pid
"""


class Connected(Protocol):
    """Django's connection, or one of psycopg."""

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
        """As far as PostgreSQL shows it: see items.queue.listener_name."""
        return self.application_name.removeprefix(LISTENER_NAME).strip()


def listening_workers(connected: Connected) -> Sequence[ListeningWorker]:
    with connected.cursor() as cursor:
        cursor.execute(LISTENING, [LISTENER_NAME])
        return [ListeningWorker(*row) for row in cursor.fetchall()]

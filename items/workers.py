"""The workers that are listening now. There is no registry: the name of a listener's connection has the worker's id."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from items.pauses import Connection
from items.queue import LISTENER_NAME
from postgres.listener import IS_NAMED

# A role without pg_read_all_stats sees only the name and process of the sessions of other roles.
# The state of a listener's session changes at each of its probes.
LISTENING = f"""
SELECT application_name, pid, coalesce(host(client_addr), client_hostname), backend_start,
       now() - backend_start, now() - state_change
FROM pg_stat_activity WHERE {IS_NAMED}
ORDER BY backend_start, pid
"""  # noqa: S608  # a constant


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
        return self.application_name.partition(" ")[2]


def listening_workers(connection: Connection) -> Sequence[ListeningWorker]:
    with connection.cursor() as cursor:
        cursor.execute(LISTENING, [LISTENER_NAME])
        return [ListeningWorker(*row) for row in cursor.fetchall()]

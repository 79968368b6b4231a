"""Django's database backend, with the rules of all our connections."""

from typing import Any, Self

import psycopg
from django.db.backends.postgresql import base
from psycopg.conninfo import conninfo_to_dict

from postgres.conninfo import READ_COMMITTED
from postgres.hosts import Parameters, connect, connect_timeout_of, split, target_of

CONNECT_SECONDS = 4.0
"""For all hosts together, unless the operator says otherwise: less than a request waits for the pool."""


class PooledConnection(psycopg.Connection[Any]):
    """A connection of the pool, which tries the hosts in turn."""

    @classmethod
    def connect(cls, conninfo: str = "", **parameters: Any) -> Self:
        parameters = {**conninfo_to_dict(conninfo), **parameters}
        return connect(super().connect, parameters, deadline_seconds=_deadline(parameters))


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if self.pool:
            return super().get_new_connection(conn_params)
        return connect(self._connect_to, conn_params, deadline_seconds=_deadline(conn_params))

    def _connect_to(self, **conn_params: Any) -> Any:
        return super().get_new_connection(conn_params)

    def _configure_connection(self, connection: Any) -> bool:
        connection.execute(READ_COMMITTED)
        super()._configure_connection(connection)  # type: ignore[misc]  # the stubs lack it
        return True


def _deadline(parameters: Parameters) -> float:
    return connect_timeout_of(parameters) * len(split(target_of(parameters))) or CONNECT_SECONDS

"""Django's database backend, with the rules of all our connections."""

import time
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import psycopg
from django.conf import settings
from django.db import Error
from django.db.backends.postgresql import base
from psycopg.abc import Buffer, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import PoolTimeout

from postgres.conninfo import READ_COMMITTED
from postgres.django.waits import WAITS, StatementTimeout
from postgres.hosts import Parameters, connect, connect_timeout_of, has_moved, split, target_of
from postgres.transactions import limit_idle

Returned = TypeVar("Returned")

CONNECT_SECONDS = 4.0
"""For all hosts together, unless the operator says otherwise: less than a request waits for the pool."""

POOL_SECONDS = 5.0
POOL_TURN_SECONDS = 0.25
POOL_REFUSAL_SECONDS = 0.05
"""How long a request waits for a connection at a time, and how long if others already wait in vain."""

INTERVAL_SECONDS = 0.1
"""Psycopg's own, at which it looks for signals."""

WAITS_FOR_STANDBY = """
    SELECT pg_current_xact_id_if_assigned() IS NOT NULL
       AND current_setting('synchronous_commit') NOT IN ('off', 'local')
"""
"""Whether the transaction has written, and its commit waits for a synchronous standby if there is one."""


class UtcTimestamptzLoader(TimestamptzLoader):
    """Reads a time in UTC three times as fast as psycopg's loader with Django's on top."""

    timezone = UTC  # Django looks for it

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:  # before the year 1, after 9999, or infinite
            return super().load(data)


class PooledConnection(psycopg.Connection[Any]):
    """A connection of the pool, which tries the hosts in turn, and waits for no statement without a deadline."""

    @classmethod
    def connect(cls, conninfo: str = "", **parameters: Any) -> Self:
        parameters = {**conninfo_to_dict(conninfo), **parameters}
        WAITS.begin_connecting()
        connection = connect(super().connect, parameters, deadline_seconds=_deadline(parameters))
        WAITS.record_answer()
        return connection

    def wait(self, gen: PQGen[Returned], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Returned:
        """Raises StatementTimeout, and OperationalError instead of sending anything to a former host."""
        if has_moved(self):
            self.pgconn.finish()
            raise psycopg.OperationalError("the host has changed")
        WAITS.begin(self)
        try:
            returned = super().wait(gen, interval, timeout or settings.STATEMENT_SECONDS)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # psycopg documents it for wait()
            if timeout is not None:
                raise
            WAITS.leave(self)
            raise StatementTimeout from None
        finally:
            WAITS.end(self)
        WAITS.record_answer()
        return returned


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if self.pool:
            return self._connection_of_pool(conn_params)
        return connect(self._connect_to, conn_params, deadline_seconds=_deadline(conn_params))

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # the stubs lack it
        if not autocommit and (seconds := self.settings_dict.get("TRANSACTION_IDLE_SECONDS")):
            try:
                with self.wrap_database_errors:
                    self.connection.execute(limit_idle(seconds))
            except Error:
                self.close()  # Django has not noticed that a transaction begins
                raise

    def _commit(self) -> None:
        """Record the commit of a change while earlier ones may be waiting for a standby."""
        is_change = False
        if WAITS.are_left() and self.connection is not None:
            with self.wrap_database_errors:
                (is_change,) = self.connection.execute(WAITS_FOR_STANDBY).fetchone()
        super()._commit()  # type: ignore[misc]  # the stubs lack it
        if is_change:
            WAITS.record_change()

    def close_if_unusable_or_obsolete(self) -> None:
        if not self.in_atomic_block and has_moved(self.connection):
            self.close()
        super().close_if_unusable_or_obsolete()

    def _connection_of_pool(self, conn_params: dict[str, Any]) -> Any:
        """Wait while connections change hands. Raises PoolTimeout, at once if others wait in vain already."""
        give_up_at = time.monotonic() + POOL_SECONDS
        while True:
            self.pool.timeout = POOL_REFUSAL_SECONDS if WAITS.are_many() else POOL_TURN_SECONDS
            try:
                return super().get_new_connection(conn_params)
            except PoolTimeout:
                if WAITS.are_many() or time.monotonic() > give_up_at:
                    raise

    def _connect_to(self, **conn_params: Any) -> Any:
        return super().get_new_connection(conn_params)

    def _configure_connection(self, connection: Any) -> bool:
        connection.execute(READ_COMMITTED)
        if self.timezone == UTC:
            connection.adapters.register_loader("timestamptz", UtcTimestamptzLoader)
        super()._configure_connection(connection)  # type: ignore[misc]  # the stubs lack it
        return True


def _deadline(parameters: Parameters) -> float:
    return connect_timeout_of(parameters) * len(split(target_of(parameters))) or CONNECT_SECONDS

"""Connection strings for connections outside Django."""

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

READ_COMMITTED = """
SELECT set_config('default_transaction_isolation', 'read committed', false)
WHERE current_setting('default_transaction_isolation') <> 'read committed'
"""
"""Run on each new connection, because a role or a database may have another default, under which updates that others
have changed meanwhile are refused. Changes nothing where the default is PostgreSQL's own."""

APPLICATION_NAME = "litevault"
"""Of connections to which neither we nor the operator gave another name."""

NOT_OF_LIBPQ = ("context", "cursor_factory", "prepare_threshold")


def database_conninfo() -> str:
    """Return the connection string of Django's own connections."""
    parameters = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in parameters.items() if name not in NOT_OF_LIBPQ})


def listen_conninfo() -> str:
    """Return LITEVAULT_LISTEN_DATABASE_URL, or the connection string of the database if it is empty."""
    url = str(settings.LISTEN_DATABASE_URL)
    return make_conninfo(url, fallback_application_name=APPLICATION_NAME) if url else database_conninfo()

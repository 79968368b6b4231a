"""Connection strings for connections outside Django."""

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

NOT_OF_LIBPQ = ("context", "cursor_factory", "prepare_threshold")


def database_conninfo() -> str:
    """Return the connection string of Django's own connections."""
    parameters = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in parameters.items() if name not in NOT_OF_LIBPQ})


def listen_conninfo() -> str:
    """Return LITEVAULT_LISTEN_DATABASE_URL, or the connection string of the database if it is empty."""
    return str(settings.LISTEN_DATABASE_URL) or database_conninfo()

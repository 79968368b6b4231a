"""Connection strings for connections that are not Django's."""

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

NOT_OF_LIBPQ = ("context", "cursor_factory", "prepare_threshold")


def database_conninfo() -> str:
    """Return where Django's own connections lead."""
    parameters = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in parameters.items() if name not in NOT_OF_LIBPQ})


def listen_conninfo() -> str:
    """Return where to listen: LITEVAULT_LISTEN_DATABASE_URL, else the database itself."""
    return str(settings.LISTEN_DATABASE_URL) or database_conninfo()

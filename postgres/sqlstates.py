"""Is it the data or the database? Decided by SQLSTATE.

The classes of psycopg and Django do not answer that: a read-only server and an expired transaction_timeout are an
InternalError, like a corrupt index.
"""

import psycopg
from django.db import Error, connection

from postgres import hosts

REFUSED_DATA = ("22", "23")
"""The SQLSTATE classes of data exceptions and violated constraints."""

READ_ONLY = "25006"
SCHEMA_MISSING = ("3F000", "42P01", "42703", "42883")
"""A schema, table, column or function does not exist: before `migrate`, or after a downgrade."""


def sqlstate_of(error: BaseException) -> str:
    """Return the SQLSTATE of a psycopg error, or of the one that a Django error wraps. Empty if there is none."""
    return getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""


def refuses_data(error: BaseException) -> bool:
    """Return whether the same data will never be accepted. After any other database error, retry later."""
    if state := sqlstate_of(error):
        return state.startswith(REFUSED_DATA)
    # psycopg itself refuses what it cannot send, such as a NUL character.
    return isinstance(error, psycopg.DataError) or isinstance(error.__cause__, psycopg.DataError)


def is_read_only(error: BaseException) -> bool:
    return sqlstate_of(error) == READ_ONLY


def is_schema_missing(error: BaseException) -> bool:
    return sqlstate_of(error) in SCHEMA_MISSING


def sentence_of(error: BaseException) -> str:
    """Return a fixed sentence, because the driver's message may quote a user's text."""
    if refuses_data(error):
        return "The database refused the data."
    if is_read_only(error):
        return "The database is read-only."
    if is_schema_missing(error):
        return "The database schema does not match this version. Run: manage.py migrate"
    return "The database does not answer."


def drop_read_only_connection(error: Error) -> bool:
    """Close Django's connection if it turned out to be read-only, so that the next one may lead to the primary.

    Return whether that was the error, and the request can go on with a new connection.
    """
    if not is_read_only(error) or connection.in_atomic_block:
        return False
    if connection.connection is not None:
        connection.connection.close()  # else the pool would hand it out again
    connection.close()
    hosts.forget()
    return True

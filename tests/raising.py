"""A trigger that raises an SQLSTATE of the test's choice."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

CANARY = "canary-4711"
ALWAYS = 1_000_000

DATA = ("22001", "22003", "22P05", "23502", "23505", "23514")
LATER = (
    *("25006", "25P02", "25P03", "25P04"),  # read-only, aborted, idle and transaction timeouts
    *("40001", "40P01", "55P03", "57014"),  # serialization, deadlock, lock and statement timeouts
    *("53100", "53200", "53300", "54000", "58030"),  # disk, memory, connections, limits, I/O
    *("57P01", "57P02", "57P03", "08006"),  # shutdown, crash, starting, connection
    *("3F000", "42P01", "42703", "42883", "42501"),  # schema, table, column, function, privilege
    *("0A000", "P0001", "XX000", "XX001"),  # not supported, raised by a trigger, internal, corrupt
)


@contextmanager
def raising(sqlstate: str, *, on: str, when: str = "true", times: int = ALWAYS) -> Iterator[None]:
    """Raise during the block, so many times. `on` is like `UPDATE ON items`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE SEQUENCE raised;
            CREATE FUNCTION raise_sqlstate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('raised') <= {times} THEN
                    RAISE EXCEPTION '{CANARY}' USING ERRCODE = '{sqlstate}', DETAIL = '{CANARY}';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER zz_raise BEFORE {on} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION raise_sqlstate();
            """
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION raise_sqlstate CASCADE; DROP SEQUENCE raised")

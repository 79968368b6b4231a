"""Is the database there, is it as LiteVault needs it, and is there room for one more?"""

import time

from django.db import DatabaseError, connection
from django.utils import timezone

from litevault.operations.doctor.finding import Finding
from litevault.operations.health import missing_triggers

VERSIONS = range(15, 19)
MOST_USUAL_SKEW_SECONDS = 5
MOST_USUAL_CONNECTIONS_SHARE = 0.9
LONGEST_USUAL_TRANSACTION_SECONDS = 3600


def database() -> Finding:
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_database()")
            version, name = cursor.fetchone()
    except DatabaseError:
        return Finding("database", False, "does not answer", "Check DATABASE_URL, and that PostgreSQL runs.")
    milliseconds = (time.perf_counter() - started) * 1000
    return Finding("database", True, f"{name} on PostgreSQL {version}, answers in {milliseconds:.1f} ms")


def migrations(*, is_ok: bool) -> Finding:
    if is_ok:
        return Finding("migrations", True, "all applied")
    return Finding("migrations", False, "some are not applied", "Run: manage.py migrate")


def triggers() -> Finding:
    with connection.cursor() as cursor:
        missing = missing_triggers(cursor)
    if not missing:
        return Finding("triggers", True, "all there and enabled")
    return Finding(
        "triggers",
        False,
        f"missing or disabled: {', '.join(missing)}",
        "Run: manage.py migrate items 0001 && manage.py migrate",
    )


def server() -> Finding:
    """What PostgreSQL itself is like."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(),"
            " current_setting('default_transaction_read_only') = 'on', current_setting('server_encoding')"
        )
        version, is_standby, is_read_only, encoding = cursor.fetchone()
    if is_standby or is_read_only:
        return Finding("server", False, "takes no changes", "Set DATABASE_URL to the primary, not to a standby.")
    if encoding != "UTF8":
        return Finding("server", False, f"keeps text as {encoding}", "Make a database with ENCODING 'UTF8'.")
    if version not in VERSIONS:
        return Finding("server", False, f"is version {version}", "LiteVault is tested with PostgreSQL 15 to 18.")
    return Finding("server", True, "takes changes, and keeps text as UTF8")


def clock() -> Finding:
    """The queue goes by the database's clock, the history of attempts and the log by this machine's."""
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
        after = timezone.now()
    seconds = abs((theirs - before - (after - before) / 2).total_seconds())
    if seconds <= MOST_USUAL_SKEW_SECONDS:
        return Finding("clock", True, "goes with the database's")
    return Finding(
        "clock", False, f"is {seconds:.0f} s away from the database's", "Have both machines set theirs over NTP."
    )


def connections() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        used, most = cursor.fetchone()
    says = f"{used} of {most} in use"
    if used < most * MOST_USUAL_CONNECTIONS_SHARE:
        return Finding("connections", True, says)
    return Finding(
        "connections",
        False,
        says,
        "Raise max_connections, or put PgBouncer in between: docs/operations.md says how many each process holds.",
    )


def transactions() -> Finding:
    """One that stays open keeps PostgreSQL from tidying up after the queue, which slows every claim."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, extract(epoch FROM now() - xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND xact_start < now() - make_interval(secs => %s) ORDER BY xact_start LIMIT 1",
            [LONGEST_USUAL_TRANSACTION_SECONDS],
        )
        oldest = cursor.fetchone()
    if oldest is None:
        return Finding("transactions", True, "none has been open for long")
    pid, seconds = oldest
    return Finding(
        "transactions",
        False,
        f"one has been open for {seconds / 3600:.1f} h, so that dead rows stay",
        f"Find out whose it is, then: SELECT pg_terminate_backend({pid})",
    )

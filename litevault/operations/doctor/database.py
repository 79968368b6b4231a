"""Checks of the database: the server, its schema, its clock, its connections and transactions."""

import time

from django.db import DatabaseError, connection
from django.utils import timezone

from litevault.operations.doctor.result import CheckResult
from litevault.operations.health import missing_triggers

VERSIONS = range(15, 19)
MAX_SKEW_SECONDS = 5
MAX_CONNECTIONS_SHARE = 0.9
MAX_TRANSACTION_SECONDS = 3600

HIDDEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type IS NULL AND usesysid IS NOT NULL
"""


def database() -> CheckResult:
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_database()")
            version, name = cursor.fetchone()
    except DatabaseError:
        return CheckResult("database", "does not respond", "Check DATABASE_URL, and that PostgreSQL is running.")
    milliseconds = (time.perf_counter() - started) * 1000
    return CheckResult("database", f"{name} on PostgreSQL {version}, responds in {milliseconds:.1f} ms")


def migrations(*, is_ok: bool) -> CheckResult:
    if is_ok:
        return CheckResult("migrations", "all applied")
    return CheckResult("migrations", "some are not applied", "Run: manage.py migrate")


def triggers() -> CheckResult:
    with connection.cursor() as cursor:
        missing = missing_triggers(cursor)
    if not missing:
        return CheckResult("triggers", "all present and enabled")
    return CheckResult(
        "triggers",
        f"missing or disabled: {', '.join(missing)}",
        "Run: manage.py migrate items 0002_cascade_deletions && manage.py migrate",
    )


def server() -> CheckResult:
    """Check role, encoding and version of the server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(),"
            " current_setting('transaction_read_only') = 'on', current_setting('server_encoding')"
        )
        version, is_standby, is_read_only, encoding = cursor.fetchone()
    if is_standby:
        return CheckResult("server", "is a standby", "Set DATABASE_URL to the primary.")
    if is_read_only:
        return CheckResult(
            "server",
            "is read-only",
            "Find out who set default_transaction_read_only for the server, the database or the role: a provider does "
            "so when the disk is full.",
        )
    if encoding != "UTF8":
        return CheckResult("server", f"stores text as {encoding}", "Create a database with ENCODING 'UTF8'.")
    if version not in VERSIONS:
        return CheckResult(
            "server", f"is version {version}", "LiteVault is tested with PostgreSQL 15 to 18.", is_warning=True
        )
    return CheckResult("server", "is writable, and stores text as UTF8")


def clock() -> CheckResult:
    """Compare the clocks: the queue uses the database's, the history of attempts and the log use this machine's."""
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
        after = timezone.now()
    seconds = abs((theirs - before - (after - before) / 2).total_seconds())
    if seconds <= MAX_SKEW_SECONDS:
        return CheckResult("clock", "agrees with the database's")
    return CheckResult(
        "clock",
        f"differs from the database's by {seconds:.0f} s",
        "Synchronise both machines with NTP.",
        is_warning=True,
    )


def connections() -> CheckResult:
    # Sessions that this role may not see have no backend_type, and only those of clients and of extensions a user.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL)"
        )
        used, most = cursor.fetchone()
    detail = f"{used} of {most} in use"
    if used < most * MAX_CONNECTIONS_SHARE:
        return CheckResult("connections", detail)
    return CheckResult(
        "connections",
        detail,
        "Raise max_connections, or use PgBouncer: docs/operations.md lists how many each process holds.",
        is_warning=True,
    )


def transactions() -> CheckResult:
    """Look for a long transaction: it keeps VACUUM from removing dead rows, which slows every claim."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, extract(epoch FROM now() - xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND xact_start < now() - make_interval(secs => %s) ORDER BY xact_start LIMIT 1",
            [MAX_TRANSACTION_SECONDS],
        )
        oldest = cursor.fetchone()
        cursor.execute(HIDDEN)
        (hidden,) = cursor.fetchone()
    if oldest is None and hidden:
        return CheckResult(
            "transactions",
            f"none of this role's is open for long, but it may not see {hidden} sessions of others "
            "(GRANT pg_read_all_stats)",
        )
    if oldest is None:
        return CheckResult("transactions", "none is open for long")
    pid, seconds = oldest
    return CheckResult(
        "transactions",
        f"one has been open for {seconds / 3600:.1f} h and keeps dead rows",
        f"Find out who opened it, then: SELECT pg_terminate_backend({pid})",
        is_warning=True,
    )

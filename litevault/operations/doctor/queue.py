"""Checks of the queue: listeners, notifications, waiting items and recent failures."""

import time

import psycopg
from django.db import connection

from items.budget import Pauses
from items.states import Outcome, Status
from items.workers import ListeningWorker, listening_workers
from litevault.operations.doctor.result import CheckResult
from postgres.conninfo import listen_conninfo

LISTEN_DEADLINE_SECONDS = 5.0
MAX_WAIT_SECONDS = 300
MAX_QUEUE_SHARE = 0.5


def listen_round_trip() -> CheckResult:
    """Check that a notification arrives on a connection like the listener's."""
    try:
        milliseconds = _listen_round_trip_ms()
    except (psycopg.Error, TimeoutError):
        return CheckResult(
            "LISTEN",
            "no notification arrives, so items wait for the sweep",
            "A pooler in transaction mode does not support LISTEN. "
            "Set LITEVAULT_LISTEN_DATABASE_URL to PostgreSQL's own address, with the same database name.",
        )
    return CheckResult("LISTEN", f"a notification arrives in {milliseconds:.1f} ms")


def _listen_round_trip_ms() -> float:
    with psycopg.connect(listen_conninfo(), autocommit=True, connect_timeout=5) as connected:
        connected.execute("LISTEN litevault_doctor")
        started = time.perf_counter()
        # From another session, because a pooler delivers what a connection sends to itself.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('litevault_doctor', '')")
        for _ in connected.notifies(timeout=LISTEN_DEADLINE_SECONDS, stop_after=1):
            return (time.perf_counter() - started) * 1000
    raise TimeoutError


def listeners() -> CheckResult:
    workers = listening_workers(connection)
    if not workers:
        return CheckResult("listeners", "none is alive, so nothing is enriched", "Run: manage.py enrich_listener")
    described = ", ".join(_described(worker) for worker in workers)
    return CheckResult("listeners", f"{len(workers)} alive: {described}")


def _described(worker: ListeningWorker) -> str:
    """Leave out the time if the database role may not see it."""
    described = f"{worker.id or 'one'} ({worker.host or 'local'})"
    connected_for = worker.connected_for
    return described if connected_for is None else f"{described} for {connected_for.total_seconds():.0f} s"


def waiting() -> CheckResult:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(claimed_by), coalesce(extract(epoch FROM max(now() - available_at)), 0)"
            " FROM items WHERE status = %s",
            [Status.ENRICHING],
        )
        count, in_flight, seconds = cursor.fetchone()
    detail = f"{count} enriching, {in_flight} in flight, overdue by up to {max(0, seconds):.0f} s"
    if seconds <= MAX_WAIT_SECONDS:
        return CheckResult("queue", detail)
    return CheckResult("queue", detail, "Check the listener's log, or start more listeners.")


def budget() -> CheckResult:
    pauses = Pauses.read(connection)
    if not pauses.until:
        return CheckResult("budget", "not spent, or not set")
    return CheckResult(
        "budget",
        f"spent for {pauses.owners}: their items wait until {pauses.until:%Y-%m-%d %H:%M} UTC",
        "Raise LITEVAULT_LLM_DAILY_BUDGET_USD or LITEVAULT_LLM_DAILY_BUDGET_PER_OWNER_USD and restart the listeners, "
        "or wait.",
    )


def failures() -> CheckResult:
    """Count recent failures in the history, because the listener's settings may differ from this process's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT error_code, count(*) FROM enrichment_attempts"
            " WHERE outcome = %s AND finished_at > now() - interval '1 hour' GROUP BY 1 ORDER BY 2 DESC",
            [Outcome.FAILED],
        )
        rows = cursor.fetchall()
    if not rows:
        return CheckResult("failures", "none in the last hour")
    described = ", ".join(f"{count} {code}" for code, count in rows)
    return CheckResult("failures", f"in the last hour: {described}", "See docs/errors.md for these codes.")


def notification_queue() -> CheckResult:
    """Check PostgreSQL's notification queue: when it is full, every capture and every retry fails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notification_queue_usage()")
        (share,) = cursor.fetchone()
    detail = f"{share:.0%} of PostgreSQL's notification queue is in use"
    if share < MAX_QUEUE_SHARE:
        return CheckResult("notify", detail)
    return CheckResult(
        "notify",
        detail,
        "A listening session keeps a transaction open. Find it in pg_stat_activity (xact_start), and end it.",
    )

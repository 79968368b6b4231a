"""Checks of the queue: listeners, notifications, waiting items and recent failures."""

import time

import psycopg
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from items.models.enrichment_pause import PauseReason
from items.pauses import read_pauses
from items.sql import QUEUE
from items.states import Outcome, Status
from items.workers import ListeningWorker, listening_workers
from litevault.operations.doctor.result import CheckResult
from postgres.conninfo import listen_conninfo
from postgres.hosts import connect, seconds_for_all

LISTEN_DEADLINE_SECONDS = 5.0
MAX_WAIT_SECONDS = 300
MAX_QUEUE_SHARE = 0.5
PACE_MINUTES = 5


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
    parameters = conninfo_to_dict(listen_conninfo())
    deadline = max(LISTEN_DEADLINE_SECONDS, seconds_for_all(listen_conninfo()))
    with connect(psycopg.connect, {**parameters, "autocommit": True}, deadline_seconds=deadline) as connected:
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
    """Check how long items wait. Those of paused owners have their own checks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(claimed_by) FROM items WHERE status = %s", [Status.ENRICHING])
        count, in_flight = cursor.fetchone()
        cursor.execute(QUEUE["oldest_wait"])
        (oldest_wait,) = cursor.fetchone()
    seconds = oldest_wait.total_seconds() if oldest_wait else 0
    detail = f"{count} enriching, {in_flight} in flight, overdue by up to {seconds:.0f} s"
    if seconds <= MAX_WAIT_SECONDS:
        return CheckResult("queue", detail)
    return CheckResult("queue", detail, "Check the listener's log, or start more listeners.", is_warning=True)


def budget() -> CheckResult:
    pauses = read_pauses(connection)[PauseReason.BUDGET]
    if not pauses.until:
        return CheckResult("budget", "not spent, or not set")
    return CheckResult(
        "budget",
        f"spent for {pauses.owners}: their items wait until {pauses.until:%Y-%m-%d %H:%M} UTC",
        "Raise LITEVAULT_LLM_DAILY_BUDGET_USD or LITEVAULT_LLM_DAILY_BUDGET_PER_OWNER_USD and restart the listeners, "
        "or wait.",
        is_warning=True,
    )


def pause() -> CheckResult:
    pauses = read_pauses(connection)[PauseReason.STAFF]
    if not pauses.since:
        return CheckResult("pause", "enrichment is not paused")
    return CheckResult(
        "pause",
        f"enrichment is paused for {pauses.owners}, since {pauses.since:%Y-%m-%d %H:%M} UTC",
        "Run: manage.py enrichment status",
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
    return CheckResult(
        "failures", f"in the last hour: {described}", "See docs/errors.md for these codes.", is_warning=True
    )


def pace() -> CheckResult:
    """Report how fast the models reply, and whether items wait for a rate limit or an outage to end.

    What a rate limit allows is known to each worker only, and is a metric of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT model, count(*) FROM enrichment_attempts"
            " WHERE prompt_tokens > 0 AND finished_at > now() - make_interval(mins => %s)"
            " GROUP BY 1 ORDER BY 2 DESC, 1",
            [PACE_MINUTES],
        )
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT count(*), coalesce(extract(epoch FROM max(available_at) - now()), 0) FROM items"
            " WHERE status = %s AND claimed_by IS NULL AND refund_count > 0 AND available_at > now()",
            [Status.ENRICHING],
        )
        postponed, seconds = cursor.fetchone()
    described = ", ".join(f"{model} {count / PACE_MINUTES:.1f} replies a minute" for model, count in rows)
    detail = f"{described or 'no replies'} in the last {PACE_MINUTES} minutes"
    if postponed:
        detail += f"; {postponed} items wait for their provider, for up to {seconds:.0f} s"
    return CheckResult("pace", detail)


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
        is_warning=True,
    )

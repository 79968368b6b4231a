"""Is there somebody who enriches, do notifications arrive, and how is the queue?"""

import time

import psycopg
from django.db import connection

from items.states import Outcome, Status
from items.workers import ListeningWorker, listening_workers
from litevault.operations.doctor.finding import Finding
from postgres.conninfo import listen_conninfo

LISTEN_DEADLINE_SECONDS = 5.0
LONGEST_USUAL_WAIT_SECONDS = 300
MOST_USUAL_QUEUE_SHARE = 0.5


def listen_round_trip() -> Finding:
    """Does a notification from the database arrive on the connection that the listener would use?"""
    try:
        milliseconds = _listen_round_trip_ms()
    except (psycopg.Error, TimeoutError):
        return Finding(
            "LISTEN",
            False,
            "no notification arrives, so items wait for the sweep",
            "A pooler in transaction mode swallows LISTEN. "
            "Set LITEVAULT_LISTEN_DATABASE_URL to PostgreSQL's own address, with the name of the same database.",
        )
    return Finding("LISTEN", True, f"a notification arrives in {milliseconds:.1f} ms")


def _listen_round_trip_ms() -> float:
    with psycopg.connect(listen_conninfo(), autocommit=True, connect_timeout=5) as connected:
        connected.execute("LISTEN litevault_doctor")
        started = time.perf_counter()
        # Sent by another session: a pooler passes on what the connection sends to itself.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('litevault_doctor', '')")
        for _ in connected.notifies(timeout=LISTEN_DEADLINE_SECONDS, stop_after=1):
            return (time.perf_counter() - started) * 1000
    raise TimeoutError


def listeners() -> Finding:
    workers = listening_workers(connection)
    if not workers:
        return Finding("listeners", False, "none is alive, so nothing is enriched", "Run: manage.py enrich_listener")
    described = ", ".join(_described(worker) for worker in workers)
    return Finding("listeners", True, f"{len(workers)} alive: {described}")


def _described(worker: ListeningWorker) -> str:
    """Leave out the time where the database role may not see it."""
    described = f"{worker.id or 'one'} ({worker.host or 'local'})"
    connected_for = worker.connected_for
    return described if connected_for is None else f"{described} for {connected_for.total_seconds():.0f} s"


def waiting() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(claimed_by), coalesce(extract(epoch FROM max(now() - available_at)), 0)"
            " FROM items WHERE status = %s",
            [Status.ENRICHING],
        )
        count, in_flight, seconds = cursor.fetchone()
    says = f"{count} enriching, {in_flight} of them in flight, {max(0, seconds):.0f} s the longest overdue"
    if seconds <= LONGEST_USUAL_WAIT_SECONDS:
        return Finding("queue", True, says)
    return Finding("queue", False, says, "Look at the listener's log, or start more listeners.")


def failures() -> Finding:
    """The listener may have other settings than this process: what it met with stands in the history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT error_code, count(*) FROM enrichment_attempts"
            " WHERE outcome = %s AND finished_at > now() - interval '1 hour' GROUP BY 1 ORDER BY 2 DESC",
            [Outcome.FAILED],
        )
        rows = cursor.fetchall()
    if not rows:
        return Finding("failures", True, "none in the last hour")
    described = ", ".join(f"{count} {code}" for code, count in rows)
    return Finding("failures", False, f"in the last hour: {described}", "See docs/errors.md for these codes.")


def notification_queue() -> Finding:
    """When it is full, every commit that notifies fails: no capture and no retry would go in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notification_queue_usage()")
        (share,) = cursor.fetchone()
    says = f"{share:.0%} of PostgreSQL's notification queue is in use"
    if share < MOST_USUAL_QUEUE_SHARE:
        return Finding("notify", True, says)
    return Finding(
        "notify",
        False,
        says,
        "A session that listens has a transaction open for long. Find it in pg_stat_activity (xact_start), and end it.",
    )

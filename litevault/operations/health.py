"""Liveness and readiness of the web process, without authentication and without details."""

from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from items.models.enrichment_pause import PauseReason
from items.pauses import read_pauses
from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS
from items.workers import listening_workers
from postgres.metrics_server import Page, health_page
from postgres.timeboxed import DatabaseUnavailable, Shared, run_query


class Readiness(NamedTuple):
    """Whether each check passes, and whether staff have paused enrichment for all owners."""

    checks: dict[str, bool]
    is_paused: bool = False


UNAVAILABLE = Readiness(dict.fromkeys(("database", "writable", "migrations", "triggers", "listener"), False))

# A role sees the waits of its own sessions.
WRITABLE = """
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AND NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'SyncRep' AND state_change < now() - interval '2 seconds'
)
"""
MISSING = """
SELECT expected FROM unnest(%(triggers)s::text[]) AS expected
WHERE NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid IN (to_regclass('items'), to_regclass('enrichment_pauses'))
      AND tgname = expected AND tgenabled IN ('O', 'A')
)
UNION ALL
SELECT expected FROM unnest(%(functions)s::text[]) AS expected WHERE to_regproc(expected) IS NULL
"""


@csrf_exempt
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """Report that the process is alive, without the database: its outage must not restart the web server."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    page = readiness_page()
    return HttpResponse(page.body, content_type=page.content_type, status=page.status)


def readiness_page() -> Page:
    """Report whether a capture sent now would be stored and enriched. A pause is shown, but is no failure."""
    try:
        checks, is_paused = READINESS.get()
    except DatabaseUnavailable:
        checks, is_paused = UNAVAILABLE
    return health_page(
        is_ok=all(checks.values()),
        checks={name: "ok" if is_ok else "failed" for name, is_ok in checks.items()},
        **({"enrichment": "paused"} if is_paused else {}),
    )


def readiness() -> Readiness:
    """Run the checks, within seconds."""
    try:
        return run_query(_run_checks)
    except DatabaseUnavailable:
        return UNAVAILABLE


READINESS = Shared(readiness)


def _run_checks(connected: psycopg.Connection[Any]) -> Readiness:
    checks = {
        "database": True,
        "writable": _is_writable(connected),
        "migrations": _migrations() <= _applied_migrations(connected),
        "triggers": not missing_triggers(connected.cursor()),
        "listener": bool(listening_workers(connected)),
    }
    is_paused = checks["migrations"] and bool(read_pauses(connected)[PauseReason.STAFF].of_all)
    return Readiness(checks, is_paused)


def _is_writable(connected: psycopg.Connection[Any]) -> bool:
    """Return False for a standby, for a server, database or role that is set to read-only, and while commits wait for
    a synchronous standby.
    """
    (answer,) = connected.execute(WRITABLE).fetchone() or (False,)
    return bool(answer)


@cache
def _migrations() -> set[tuple[str, str]]:
    """Return the migrations on disk, which do not change while the process runs."""
    return set(MigrationLoader(None).disk_migrations)


def _applied_migrations(connected: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    (exists,) = connected.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone() or (False,)
    return set(connected.execute("SELECT app, name FROM django_migrations").fetchall()) if exists else set()


def missing_triggers(cursor: psycopg.Cursor[Any] | CursorWrapper) -> list[str]:
    """Return the triggers and functions that are missing, and the triggers that are disabled."""
    cursor.execute(MISSING, {"triggers": EXPECTED_TRIGGERS, "functions": EXPECTED_FUNCTIONS})
    return [name for (name,) in cursor.fetchall()]

"""Is the web process alive, and is everything there that makes an item come out enriched?

Nothing here needs to know who asks, and nothing says more than ok or failed.
"""

from functools import cache
from http import HTTPStatus
from typing import Any

import psycopg
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from items.queue import LISTENER_NAME
from postgres.timeboxed import Unanswered, ask

TRIGGERS = {
    "items_restart",
    "items_transition",
    "items_notify_insert",
    "items_notify_update",
    "items_notify_cancelled",
}


@csrf_exempt
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a database that is away does not restart the web server."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """A capture sent now would be stored, and enriched."""
    checks = readiness()
    is_ready = all(checks.values())
    return JsonResponse(
        {
            "status": "ok" if is_ready else "unavailable",
            "checks": {name: "ok" if is_ok else "failed" for name, is_ok in checks.items()},
        },
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def readiness() -> dict[str, bool]:
    """Each check with its verdict, within seconds."""
    try:
        return ask(_look)
    except Unanswered:
        return dict.fromkeys(("database", "migrations", "triggers", "listener"), False)


def _look(connected: psycopg.Connection[Any]) -> dict[str, bool]:
    return {
        "database": True,
        "migrations": _migrations() <= _applied_migrations(connected),
        "triggers": _triggers(connected) >= TRIGGERS,
        "listener": _listens(connected),
    }


@cache
def _migrations() -> set[tuple[str, str]]:
    """Those that the code came with: they do not change while it runs."""
    return set(MigrationLoader(None).disk_migrations)


def _applied_migrations(connected: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    (exists,) = connected.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone() or (False,)
    return set(connected.execute("SELECT app, name FROM django_migrations").fetchall()) if exists else set()


def _triggers(connected: psycopg.Connection[Any]) -> set[str]:
    rows = connected.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('items') AND tgenabled IN ('O', 'A')"
    )
    return {name for (name,) in rows}


def _listens(connected: psycopg.Connection[Any]) -> bool:
    row = connected.execute(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND starts_with(application_name, %s) LIMIT 1",
        [LISTENER_NAME],
    ).fetchone()
    return row is not None

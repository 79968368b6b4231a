"""The checks of `manage.py doctor`. docs/operations.md has a table of them."""

from collections.abc import Callable, Iterator

from django.db import OperationalError, connection, transaction

from litevault.operations.doctor.database import (
    clock,
    connections,
    database,
    migrations,
    server,
    transactions,
    triggers,
)
from litevault.operations.doctor.events import events, proxy
from litevault.operations.doctor.model import model
from litevault.operations.doctor.queue import (
    budget,
    failures,
    listen_round_trip,
    listeners,
    notification_queue,
    pace,
    pause,
    waiting,
)
from litevault.operations.doctor.result import CheckResult
from litevault.operations.doctor.web import dotenv_file, headers, static_files, web_server
from litevault.operations.health import readiness

STATEMENT_SECONDS = 5


def run_checks(*, calls_model: bool, expects_events: bool, url: str) -> Iterator[CheckResult]:
    """Run one check after the other. Most need the database, and are left out without it."""
    yield dotenv_file()
    yield web_server()
    yield static_files()
    yield database()
    checks = readiness().checks
    if checks["database"]:
        yield in_time("server", server)
        yield in_time("clock", clock)
        yield in_time("connections", connections)
        yield in_time("transactions", transactions)
        yield migrations(is_ok=checks["migrations"])
        yield in_time("triggers", triggers)
        yield listen_round_trip()
        yield in_time("notify", notification_queue)
        yield in_time("listeners", listeners)
        yield in_time("events", lambda: events(is_expected=expects_events))
        if checks["migrations"]:
            yield in_time("queue", waiting)
            yield in_time("budget", budget)
            yield in_time("pause", pause)
            yield in_time("pace", pace)
            yield in_time("failures", failures)
    yield proxy(url=url)
    yield headers(url=url)
    yield model(calls_model=calls_model)


def in_time(subject: str, check: Callable[[], CheckResult]) -> CheckResult:
    """Run the statements of a check, each within STATEMENT_SECONDS."""
    try:
        with transaction.atomic():
            # In the transaction, not for the session, which a pooler would give to others.
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STATEMENT_SECONDS}s"])
            return check()
    except OperationalError:
        return CheckResult(
            subject,
            f"the database does not answer within {STATEMENT_SECONDS} s",
            "Another session may hold a lock. Find it in pg_stat_activity (xact_start), and end it.",
        )

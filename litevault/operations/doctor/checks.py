"""The checks of `manage.py doctor`. docs/operations.md has a table of them."""

from collections.abc import Iterator

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


def run_checks(*, calls_model: bool, expects_events: bool, url: str) -> Iterator[CheckResult]:
    """Run one check after the other. Most need the database, and are left out without it."""
    yield dotenv_file()
    yield web_server()
    yield static_files()
    yield database()
    checks = readiness().checks
    if checks["database"]:
        yield server()
        yield clock()
        yield connections()
        yield transactions()
        yield migrations(is_ok=checks["migrations"])
        yield triggers()
        yield listen_round_trip()
        yield notification_queue()
        yield listeners()
        yield events(is_expected=expects_events)
        if checks["migrations"]:
            yield waiting()
            yield budget()
            yield pause()
            yield pace()
            yield failures()
    yield proxy(url=url)
    yield headers(url=url)
    yield model(calls_model=calls_model)

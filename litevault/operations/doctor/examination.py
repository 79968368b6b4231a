"""What `manage.py doctor` looks at: each finding says what is, and what to do when it should be otherwise.

docs/operations.md has the table of them.
"""

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
from litevault.operations.doctor.finding import Finding
from litevault.operations.doctor.model import model
from litevault.operations.doctor.queue import failures, listen_round_trip, listeners, notification_queue, waiting
from litevault.operations.doctor.web import static_files, web_server
from litevault.operations.health import readiness


def examine(*, asks_model: bool, wants_events: bool, url: str) -> Iterator[Finding]:
    """Look at one thing after the other. Without a database most of the rest cannot be looked at."""
    yield web_server()
    yield static_files()
    yield database()
    checks = readiness()
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
        yield events(is_wanted=wants_events)
        if checks["migrations"]:
            yield waiting()
            yield failures()
    yield proxy(url=url)
    yield model(asks_model=asks_model)

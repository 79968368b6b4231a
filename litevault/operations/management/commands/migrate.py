"""Django's migrate, except that it waits for locks only briefly.

Captures queue up behind a migration that waits for a lock, even if it waits for a transaction that disturbs no capture.
Therefore a statement gives up after LOCK_TIMEOUT, its migration is rolled back, and is tried again after a pause.

This applies to statements in a transaction. Migrations with `atomic = False` may wait, because they consist of
statements that block no writes, such as CREATE INDEX CONCURRENTLY (tests/items/test_migration_locks.py).
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import OperationalError, connections
from psycopg.errors import DeadlockDetected, LockNotAvailable

from postgres.backoff import Backoff

LOCK_TIMEOUT = "1s"
PAUSES = Backoff(first_seconds=1.0, longest_seconds=10.0)
FIND_SESSION = (
    "SELECT pid, usename, application_name, xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY 4"
)


class Command(DjangoMigrate):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-wait",
            type=int,
            default=300,
            metavar="SECONDS",
            help="how long to try again while another session holds a lock that a migration needs "
            "(default: %(default)s)",
        )

    def handle(self, *args: Any, lock_wait: int, **options: Any) -> str | None:
        ends_at = monotonic() + lock_wait
        failures = 0
        while True:
            try:
                with connections[options["database"]].execute_wrapper(limit_lock_wait):
                    return super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                    raise
            failures += 1
            pause = PAUSES.seconds(failures)
            if monotonic() + pause > ends_at:
                raise CommandError(
                    "Another session holds a lock that the migration needs. The migration was rolled back. "
                    f"Find the session that has been in a transaction for longest ({FIND_SESSION}), "
                    "end it, and run migrate again."
                )
            self.stderr.write(f"Another session holds a lock that the migration needs. Next try in {pause:.0f} s.")
            sleep(pause)


def limit_lock_wait(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: dict[str, Any]) -> Any:
    """Set the limit with each statement, for its transaction only: a pooler may give the session to others."""
    if context["connection"].in_atomic_block:
        context["cursor"].cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    return execute(sql, params, many, context)

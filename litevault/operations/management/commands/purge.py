"""Deletes what is no longer needed."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone

from items.api.idempotency import KEPT_FOR
from items.deletion import delete_old_usage
from items.management.command import ProjectCommand
from items.management.exit_codes import interruptible
from items.management.item_options import age
from litevault.operations.purging import ATTEMPTS, AUDIT, DISCARDED, KEYS, SESSIONS, TOKENS, Kind

log = structlog.get_logger(__name__)


class Command(ProjectCommand):
    help = (
        "Delete what is no longer needed: expired sessions and idempotency keys, and with an option for each what is "
        "older than its age. Rows are deleted in small batches, and rows in use are skipped, so that the command can "
        "run at any time. The totals of the admin stay the same. A deleted item cannot be restored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--discarded-after", type=age, metavar="AGE", help="delete items this long after they were discarded: 30d"
        )
        parser.add_argument(
            "--attempts-after", type=age, metavar="AGE", help="delete attempts of archived items at this age: 90d"
        )
        parser.add_argument(
            "--tokens-after", type=age, metavar="AGE", help="delete tokens this long after they ended: 90d"
        )
        parser.add_argument("--audit-after", type=age, metavar="AGE", help="delete audit events at this age: 365d")
        parser.add_argument("--dry-run", action="store_true", help="only count what would be deleted")

    def handle(self, *_args: Any, dry_run: bool, **options: Any) -> None:
        counts: dict[str, int] = {}
        with interruptible(self, "Run the command again to continue."):
            for kind, before in kinds(options):
                number = kind.count(before) if dry_run else sum(kind.delete(before))
                counts[kind.name] = number
                done = f"{'Would delete' if dry_run else 'Deleted'} {number:,} {kind.name}."
                self.report([done], dryRun=dry_run, rows=counts)
            if not dry_run:
                delete_old_usage()
                log.info("data.purged", **{name.replace(" ", "_"): number for name, number in counts.items()})


def kinds(options: dict[str, Any]) -> Iterator[tuple[Kind, datetime]]:
    now = timezone.now()
    for kind, name in (
        (DISCARDED, "discarded_after"),
        (ATTEMPTS, "attempts_after"),
        (TOKENS, "tokens_after"),
        (AUDIT, "audit_after"),
    ):
        if options[name]:
            yield kind, now - options[name]
    yield SESSIONS, now
    yield KEYS, now - KEPT_FOR

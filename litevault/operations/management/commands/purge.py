"""Deletes what is no longer needed."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.utils import timezone

from items.api.idempotency import KEPT_FOR
from items.deletion import delete_old_usage
from items.management.exit_codes import interruptible
from litevault.operations.purging import ATTEMPTS, AUDIT, DISCARDED, KEYS, SESSIONS, TOKENS, Kind

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=3650)


def age(text: str) -> timedelta:
    """Parse 30d or 12h."""
    found = re.fullmatch(r"([1-9]\d{0,5})([dh])", text)
    length = timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])}) if found else None
    if length is None or length > LONGEST:
        raise ArgumentTypeError(f"must be a number of days or hours, like 30d or 12h, up to {LONGEST.days}d")
    return length


class Command(BaseCommand):
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
                self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'} {number:,} {kind.name}.")
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

"""Import exported items."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from items.management.arguments import add_allow_refused, add_names, add_owner
from items.management.exit_codes import EXIT_INCOMPLETE, interruptible, write_summary
from items.transfer.importing import SUFFIXES, ImportSummary, import_records, read_records
from items.transfer.owners import get_or_create_owner
from items.transfer.progress import bytes_progress_bar
from items.transfer.sources import STANDARD_INPUT, total_bytes


class Command(BaseCommand):
    help = (
        "Import items that export_items wrote: JSON Lines, Markdown files (*.md), folders of both, or JSON Lines from "
        "standard input. Existing items are not changed, so that an import can be repeated, also after an "
        "interruption. Refused items are listed with file, line and field, and all others are imported. "
        "Exit code: 0 if all items are stored, 1 if any was refused (0 with --allow-refused), 130 after Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_names(parser)
        add_owner(parser)
        add_allow_refused(parser)

    def handle(self, *_args: Any, names: Sequence[str], owner: str, **options: Any) -> None:
        user = get_or_create_owner(owner)
        names = names or [STANDARD_INPUT]
        summary = ImportSummary()
        try:
            with (
                interruptible(self, "Everything imported so far is kept. Run the same command again to continue."),
                bytes_progress_bar("Importing", total=total_bytes(names, suffixes=SUFFIXES)) as bar,
            ):
                import_records(read_records(names, on_read=bar.update), summary, owner=user)
        finally:
            write_summary(self, summary.lines(owner=user.get_username()), kept="The imported items are kept.")
        if summary.refusals.count and not options["allow_refused"]:
            sys.exit(EXIT_INCOMPLETE)

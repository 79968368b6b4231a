"""Bring exported items back."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import reset_queries

from items.capturing.extent import bytes_in
from items.capturing.owners import find_owner
from items.capturing.sources import STANDARD_INPUT
from items.exchange.importing import SUFFIXES, batches, records_from, store
from items.exchange.tally import ImportTally
from items.management.arguments import add_names, add_owner
from items.management.exit_codes import EXIT_INCOMPLETE, advising, report
from items.management.progress import bytes_progress


class Command(BaseCommand):
    help = (
        "Bring items back that export_items wrote: JSON Lines, Markdown files (by their ending .md), folders of both, "
        "or JSON Lines from standard input. An item that is there already stays as it is, so that the same import can "
        "be run again, also after it was interrupted. What is refused is listed with its file, line and field, and "
        "everything else goes in. Exit code: 0 when all is there now, 1 when something was refused, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_names(parser)
        add_owner(parser)

    def handle(self, *_args: Any, names: Sequence[str], owner: str, **_options: Any) -> None:
        user = find_owner(owner)
        tally = ImportTally()
        try:
            with advising(self, "What was imported before stays; run the same again to go on."):
                self.bring_in(names or [STANDARD_INPUT], tally, owner=user)
        finally:
            report(self, tally.lines(owner=user.get_username()), unread="What was imported stays.")
        if tally.refused:
            sys.exit(EXIT_INCOMPLETE)

    def bring_in(self, names: Sequence[str], tally: ImportTally, *, owner: User) -> None:
        with bytes_progress("Importing", total=bytes_in(names, suffixes=SUFFIXES)) as bar:
            found = tally.accepted(records_from(names, on_read=bar.update))
            for batch in batches(found):
                # With LITEVAULT_DEBUG, Django remembers every query, and these queries hold whole files.
                reset_queries()
                tally.add(store(batch, owner=owner))

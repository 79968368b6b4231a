"""Bring exported items back."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, reset_queries

from items.capturing.extent import bytes_in
from items.capturing.owners import DEFAULT_OWNER, find_owner
from items.capturing.sources import STANDARD_INPUT
from items.exchange.importing import SUFFIXES, batches, records_from, store
from items.exchange.tally import ImportTally
from items.management.progress import bytes_progress

EXIT_INCOMPLETE = 1
EXIT_INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Bring items back that export_items wrote: JSON Lines, Markdown files (by their ending .md), folders of both, "
        "or JSON Lines from standard input. An item that is there already stays as it is, so that the same import can "
        "be run again, also after it was interrupted. What is refused is listed with its file, line and field, and "
        "everything else goes in. Exit code: 0 when all is there now, 1 when something was refused, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="FILE", help="file, folder, or - for standard input (which is the default)"
        )
        parser.add_argument(
            "--owner",
            metavar="NAME",
            default=DEFAULT_OWNER,
            help="user that the items will belong to (default: %(default)s, who is made on first use)",
        )

    def handle(self, *_args: Any, names: Sequence[str], owner: str, **_options: Any) -> None:
        user = find_owner(owner)
        tally = ImportTally()
        try:
            self.bring_in(names or [STANDARD_INPUT], tally, owner=user)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. What was imported before stays; run the same again to go on.")
            sys.exit(EXIT_INTERRUPTED)
        except (InterfaceError, OperationalError):
            raise CommandError(
                "The database does not answer. What was imported before stays; run the same again to go on."
            ) from None
        finally:
            for line in tally.lines(owner=user.get_username()):
                self.stdout.write(line)
        if tally.refused:
            sys.exit(EXIT_INCOMPLETE)

    def bring_in(self, names: Sequence[str], tally: ImportTally, *, owner: User) -> None:
        with bytes_progress("Importing", total=bytes_in(names, suffixes=SUFFIXES)) as bar:
            found = tally.accepted(records_from(names, on_read=bar.update))
            for batch in batches(found):
                # With LITEVAULT_DEBUG, Django remembers every query, and these queries hold whole files.
                reset_queries()
                tally.add(store(batch, owner=owner))

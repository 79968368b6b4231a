"""Write all items of an owner to a file, a folder or standard output."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from items.capturing.owners import DEFAULT_OWNER, existing
from items.capturing.sources import STANDARD_INPUT, shown
from items.exchange import json_lines
from items.exchange.exporting import records_of, whole_file, write_file
from items.exchange.record import ItemRecord
from items.management.exit_codes import EXIT_INCOMPLETE, abandon_standard_output, advising
from items.management.progress import progress
from items.models import Item

STANDARD_OUTPUT = STANDARD_INPUT


class Command(BaseCommand):
    help = (
        "Write all items of an owner, in any status, with everything that belongs to the owner: the text, title, "
        "summary, tags, type, status, error and times. As JSON Lines, or as Markdown with front matter, a file for "
        "each item. import_items reads both. The history of attempts is not in it: a backup of the database has that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            nargs="?",
            default=STANDARD_OUTPUT,
            metavar="FILE|FOLDER",
            help="a file, - for standard output (which is the default), or with --markdown a folder",
        )
        parser.add_argument("--owner", metavar="NAME", default=DEFAULT_OWNER, help="whose items (default: %(default)s)")
        parser.add_argument(
            "--markdown",
            action="store_true",
            help="a Markdown file for each item, in a folder for each month; what an earlier export wrote is replaced",
        )

    def handle(self, *_args: Any, target: str, owner: str, markdown: bool, **_options: Any) -> None:
        if markdown and target == STANDARD_OUTPUT:
            raise CommandError("With --markdown name a folder: manage.py export_items --markdown FOLDER")
        user = existing(owner)
        write = self.to_folder if markdown else self.to_stream if target == STANDARD_OUTPUT else self.to_file
        try:
            with advising(self, "The export is not complete: run it again."):
                count = write(with_progress(user), target)
        except BrokenPipeError:
            self.stderr.write("Standard output was closed before all was written.")
            abandon_standard_output()
            sys.exit(EXIT_INCOMPLETE)
        except OSError as error:
            raise CommandError(f"{shown(target)} cannot be written: {error.strerror}.") from None
        self.stderr.write(f"Exported {count:,} items of {owner}.")

    def to_stream(self, records: Iterator[ItemRecord], _target: str) -> int:
        self.stdout.flush()
        output = sys.stdout.buffer
        count = 0
        for count, record in enumerate(records, 1):
            output.write(json_lines.line_of(record))
        output.flush()
        return count

    def to_file(self, records: Iterator[ItemRecord], target: str) -> int:
        count = 0
        with whole_file(Path(target)) as file:
            for count, record in enumerate(records, 1):
                file.write(json_lines.line_of(record))
        return count

    def to_folder(self, records: Iterator[ItemRecord], target: str) -> int:
        Path(target).mkdir(mode=0o700, parents=True, exist_ok=True)
        count = 0
        for count, record in enumerate(records, 1):
            write_file(Path(target), record)
        return count


def with_progress(owner: User) -> Iterator[ItemRecord]:
    with progress("Exporting", total=Item.objects.owned_by(owner).count()) as bar:
        for record in records_of(owner):
            yield record
            bar.update()

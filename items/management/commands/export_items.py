"""Export all items of an owner to a file, a folder or standard output."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from django.core.management.base import CommandError

from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE, discard_standard_output, interruptible
from items.models import Item
from items.transfer import json_lines
from items.transfer.exporting import atomic_file, read_items, write_markdown
from items.transfer.owners import DEFAULT_OWNER, get_owner
from items.transfer.progress import progress_bar
from items.transfer.records import ItemRecord
from items.transfer.sources import printable

STANDARD_OUTPUT = "-"


class Command(ProjectCommand):
    help = (
        "Write all items of an owner, in any status, with everything that belongs to the owner: text, title, summary, "
        "tags, type, status, error and times. The format is JSON Lines, or Markdown with front matter, one file per "
        "item. import_items reads both. The history of attempts is not included; a backup of the database has it."
    )

    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {0: "all items were written", 1: "an error, or the reader of standard output has gone away before the end"}
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            nargs="?",
            default=STANDARD_OUTPUT,
            metavar="TARGET",
            help="file, - for standard output (the default), or with --markdown a folder",
        )
        parser.add_argument(
            "--owner", metavar="NAME", default=DEFAULT_OWNER, help="the owner of the items (default: %(default)s)"
        )
        parser.add_argument(
            "--markdown",
            action="store_true",
            help="write one Markdown file per item, in a folder per month; replaces the files of an earlier export",
        )

    def handle(self, *_args: Any, target: str, owner: str, markdown: bool, **_options: Any) -> None:
        if self.is_json and target == STANDARD_OUTPUT:
            raise CommandError("With --json name a file or folder: standard output cannot hold both documents.")
        if markdown and target == STANDARD_OUTPUT:
            raise CommandError("With --markdown name a folder: manage.py export_items --markdown FOLDER")
        user = get_owner(owner)
        count = 0
        try:
            with (
                interruptible(self, "The export is not complete. Run it again."),
                progress_bar("Exporting", total=Item.objects.owned_by(user).count(), quiet=self.is_quiet) as bar,
                record_writer(target, markdown=markdown) as write,
            ):
                for record in read_items(user):
                    write(record)
                    count += 1
                    bar.update()
        except BrokenPipeError:
            self.stderr.write("Standard output was closed before all items were written.")
            discard_standard_output()
            sys.exit(EXIT_INCOMPLETE)
        except OSError as error:
            raise CommandError(f"{printable(target)} cannot be written: {error.strerror}.") from None
        if not self.is_json:
            # Standard output may be the file.
            self.advise(f"Exported {count:,} items of {owner}.")
        self.report((), exported=count, owner=owner)


@contextmanager
def record_writer(target: str, *, markdown: bool) -> Iterator[Callable[[ItemRecord], object]]:
    if markdown:
        Path(target).mkdir(mode=0o700, parents=True, exist_ok=True)
        yield partial(write_markdown, Path(target))
    elif target == STANDARD_OUTPUT:
        yield lambda record: sys.stdout.buffer.write(json_lines.dump(record))
        sys.stdout.flush()
    else:
        with atomic_file(Path(target)) as file:
            yield lambda record: file.write(json_lines.dump(record))

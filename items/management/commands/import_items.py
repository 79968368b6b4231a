"""Import exported items, of LiteVault or of another program."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from django.core.management.base import CommandError

from items.management.arguments import add_allow_refused, add_names, add_owner
from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE, interruptible
from items.texts import raw_text_max_length
from items.transfer.conversion import Conversion
from items.transfer.foreign import FORMATS, read_foreign
from items.transfer.formats.entry import Omitted
from items.transfer.importing import SUFFIXES, FoundRecord, ImportSummary, import_records, read_records
from items.transfer.owners import get_or_create_owner
from items.transfer.progress import bytes_progress_bar
from items.transfer.sources import STANDARD_INPUT, Refused, total_bytes


class Command(ProjectCommand):
    help = (
        "Import items that export_items wrote: JSON Lines, Markdown files (*.md), folders of both, or JSON Lines from "
        "standard input. With --from, import what another program exported; docs/import.md says what is kept of each. "
        "Existing items are not changed, so that an import can be repeated, also after an "
        "interruption. Refused items are listed with file, line and field, and all others are imported."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {
            0: "all items are stored",
            1: "an item was refused (not with --allow-refused), or an error",
            130: "interrupted by Ctrl-C; what was imported until then is kept",
        }
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_names(parser)
        add_owner(parser)
        add_allow_refused(parser)
        parser.add_argument(
            "--from",
            dest="source",
            choices=sorted(FORMATS),
            help="the program that wrote the files; bookmarks are those of a browser in HTML, and obsidian reads any "
            "folder of Markdown files",
        )
        parser.add_argument(
            "--enrich",
            action="store_true",
            help="with --from: let the model draft title, summary and tags, which then replace those of the other "
            "program; without, items are archived as they are",
        )
        parser.add_argument(
            "--cut",
            action="store_true",
            help=f"with --from: import the first {raw_text_max_length():,} characters of a text that is too long",
        )

    def handle(self, *_args: Any, names: Sequence[str], owner: str, source: str | None, **options: Any) -> None:
        if source is None and (options["enrich"] or options["cut"]):
            raise CommandError("--enrich and --cut need --from.")
        user = get_or_create_owner(owner)
        names = names or [STANDARD_INPUT]
        summary = ImportSummary()
        suffixes = FORMATS[source].suffixes if source else SUFFIXES
        try:
            with (
                interruptible(self, "Everything imported so far is kept. Run the same command again to continue."),
                bytes_progress_bar(
                    "Importing", total=total_bytes(names, suffixes=suffixes), quiet=self.is_quiet
                ) as bar,
            ):
                found: Iterator[FoundRecord | Refused | Omitted]
                if source:
                    conversion = Conversion(source=source, owner=user, enrich=options["enrich"], cut=options["cut"])
                    found = read_foreign(names, conversion, on_read=bar.update)
                else:
                    found = read_records(names, on_read=bar.update)
                import_records(found, summary, owner=user)
        finally:
            name = user.get_username()
            kept = "The imported items are kept."
            self.report(summary.lines(owner=name), kept=kept, owner=name, **summary.record())
        if summary.refusals.count and not options["allow_refused"]:
            sys.exit(EXIT_INCOMPLETE)

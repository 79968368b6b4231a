"""Capture the texts of files, folders and standard input."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection, reset_queries

from items.management.arguments import add_allow_refused, add_names, add_owner
from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE, interruptible
from items.models import Item
from items.texts import raw_text_max_length
from items.transfer.batches import batched
from items.transfer.capturing import CaptureSummary, capture_once
from items.transfer.owners import get_or_create_owner
from items.transfer.progress import EnrichmentProgress, bytes_progress_bar, progress_bar
from items.transfer.sources import (
    STANDARD_INPUT,
    Found,
    FoundText,
    Refused,
    count_files,
    texts_from,
    total_bytes,
)
from items.workers import listening_workers

if TYPE_CHECKING:
    from tqdm import tqdm

KEPT = "The captured items are kept."


class Command(ProjectCommand):
    help = (
        "Capture texts from files, from folders (all their text files, except hidden ones) or from standard input. "
        "A file is one item unless --each-line or --split is given. "
        f"A text has 1 to {raw_text_max_length():,} characters and is not blank. A file is read in UTF-8, or in the "
        "encoding of its byte order mark, or in another one if its words leave no doubt; the summary lists such files. "
        "Refused texts and skipped files are listed with the reason, and all others are captured."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {
            0: "all texts were captured and, with --wait, enriched",
            1: "a text was refused (not with --allow-refused), or with --wait failed or is still waiting, or an error",
            130: "interrupted by Ctrl-C; what was captured until then is kept",
        }
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_names(parser)
        add_owner(parser)
        separators = parser.add_mutually_exclusive_group()
        separators.add_argument("--each-line", action="store_true", help="one item per line; blank lines are skipped")
        separators.add_argument(
            "--split",
            type=separator,
            metavar="SEPARATOR",
            help=r"one item per piece between separators, such as '\n\n' (\n, \t and \0 are escapes, and \n is any "
            "line end: LF, CRLF or CR); "
            "write --split=--- for a separator that begins with a dash",
        )
        parser.add_argument(
            "--cut",
            action="store_true",
            help=f"capture the first {raw_text_max_length():,} characters of a text that is too long",
        )
        parser.add_argument(
            "--encoding",
            type=encoding,
            metavar="NAME",
            help="the encoding of all files without a byte order mark, such as windows-1252 or utf-16-le",
        )
        parser.add_argument(
            "--no-enrich", action="store_true", help="archive the texts as they are, with their first line as title"
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="skip texts that an earlier capture with --once stored, so that an interrupted capture can be "
            "repeated; equal texts become one item",
        )
        add_allow_refused(parser)
        parser.add_argument("--wait", action="store_true", help="wait until all items are enriched, and count them")
        parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="with --wait: stop waiting after this")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["timeout"] is not None and not options["wait"]:
            raise CommandError("--timeout needs --wait.")
        if options["wait"] and options["no_enrich"]:
            raise CommandError("With --no-enrich there is nothing to --wait for.")
        advice = "Run the same command again" if options["once"] else "A capture with --once can be run again"
        with interruptible(self, f"Everything captured so far is kept. {advice} to continue."):
            is_complete = self.capture(options)
        if not is_complete:
            sys.exit(EXIT_INCOMPLETE)

    def capture(self, options: dict[str, Any]) -> bool:
        """Return whether all texts were captured and, with --wait, enriched."""
        owner = get_or_create_owner(options["owner"])
        summary = CaptureSummary()
        ids: list[UUID] = []
        try:
            for batch_ids, new in self.batches(summary, options, owner=owner):
                summary.captured += new
                summary.known += len(batch_ids) - new
                ids.extend(batch_ids if options["wait"] else ())
        finally:
            name = owner.get_username()
            self.report(summary.lines(owner=name), kept=KEPT, owner=name, **summary.record())
        is_enriched = not options["wait"] or self.wait(ids, timeout_seconds=options["timeout"])
        return is_enriched and (options["allow_refused"] or not summary.refused)

    def batches(
        self, summary: CaptureSummary, options: dict[str, Any], *, owner: User
    ) -> Iterator[tuple[list[UUID], int]]:
        """Store the texts in batches, each in one transaction. Yield the ids of each batch and how many are new."""
        names = options["names"] or [STANDARD_INPUT]
        if STANDARD_INPUT in names and sys.stdin and sys.stdin.isatty():
            self.advise("Type or paste the text, then press Ctrl-D on a line of its own.")
        separator = "\n" if options["each_line"] else options["split"]
        with capture_bar(names, separator, quiet=self.is_quiet) as bar:
            found = texts_from(names, separator=separator, encoding=options["encoding"])
            found = update_bar(found, bar, separator)
            texts = summary.accept(found, is_whole=separator is None, cut=options["cut"])
            for batch in batched(texts, bytes_of=sys.getsizeof):
                # With LITEVAULT_DEBUG, Django remembers every query, and these contain whole files.
                reset_queries()
                if options["once"]:
                    yield capture_once(owner, batch, enrich=not options["no_enrich"])
                else:
                    items = Item.objects.capture_many(owner=owner, raw_texts=batch, enrich=not options["no_enrich"])
                    yield [item.id for item in items], len(items)

    def wait(self, ids: list[UUID], *, timeout_seconds: float | None) -> bool:
        """Wait until the worker is done with the items. Return False if any failed or the time was too short."""
        progress = EnrichmentProgress(ids)
        started_at = time.monotonic()
        try:
            if ids and not listening_workers(connection):
                self.advise("No worker is running, so the items wait. Start one: manage.py enrich_listener")
            with progress_bar("Enriching", total=len(ids), quiet=self.is_quiet) as bar:
                for done in progress.wait(timeout_seconds=timeout_seconds):
                    bar.update(done)
        finally:
            seconds = time.monotonic() - started_at
            self.report([progress.summary(seconds=seconds)], kept=KEPT, enrichment=progress.record(seconds=seconds))
        return not progress.remaining and not progress.error_codes


def capture_bar(names: list[str], separator: str | None, *, quiet: bool) -> "tqdm[NoReturn]":
    """Count files, or the bytes of their pieces, because the number of pieces is not known in advance."""
    if separator is None:
        return progress_bar("Capturing", total=count_files(names), quiet=quiet)
    return bytes_progress_bar("Capturing", total=total_bytes(names), quiet=quiet)


def update_bar(found: Iterable[Found], bar: "tqdm[NoReturn]", separator: str | None) -> Iterator[Found]:
    for entry in found:
        if separator is None:
            bar.update(isinstance(entry, FoundText | Refused))
        elif isinstance(entry, FoundText):
            # No separator follows the last piece.
            length = len((entry.text + separator).encode(errors="surrogateescape"))
            bar.update(length if bar.total is None else min(length, bar.total - bar.n))
        yield entry


def separator(text: str) -> str:
    for escape, character in (("\\n", "\n"), ("\\t", "\t"), ("\\0", "\0")):
        text = text.replace(escape, character)
    if not text:
        raise ArgumentTypeError("a separator has at least one character")
    return text


def encoding(text: str) -> str:
    try:
        b"text".decode(text, "ignore")
    except (LookupError, ValueError):
        raise ArgumentTypeError(f"{text!r} is not the name of an encoding") from None
    return text


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError("a number of seconds, 0 or more")
    return value

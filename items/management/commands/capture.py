"""Capture the texts of files, folders and standard input."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import reset_queries

from items.capturing.extent import bytes_in, files_in
from items.capturing.once import capture_once
from items.capturing.owners import find_owner
from items.capturing.sources import STANDARD_INPUT, Found, Piece, Skipped, texts_from
from items.capturing.tally import Tally
from items.capturing.watch import Watch, is_listener_alive
from items.management.arguments import add_names, add_owner
from items.management.exit_codes import EXIT_INCOMPLETE, advising, report
from items.management.progress import bytes_progress, progress
from items.models import Item
from items.texts import RAW_TEXT_MAX_LENGTH

if TYPE_CHECKING:
    from tqdm import tqdm

BATCH_SIZE = 500

KEPT = "The items are captured."


class Command(BaseCommand):
    help = (
        "Capture texts from files, from folders (all their text files, hidden ones left out) or from standard input. "
        "A file is one item unless --each-line or --split is given. "
        f"A text has 1 to {RAW_TEXT_MAX_LENGTH:,} characters in UTF-8 and is not blank; "
        "what is refused is listed with its reason, and everything else goes in. "
        "Exit code: 0 when all was captured (and, with --wait, enriched), 1 when something was not, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_names(parser)
        add_owner(parser)
        add_cutters(parser)
        parser.add_argument(
            "--cut",
            action="store_true",
            help=f"of a text that is too long, capture the first {RAW_TEXT_MAX_LENGTH:,} characters",
        )
        parser.add_argument(
            "--no-enrich", action="store_true", help="archive the texts as they are, titled with their first line"
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="leave out texts that an earlier capture with --once took, so that one that was interrupted, by "
            "whatever, can be run again and goes on; equal texts become one item",
        )
        parser.add_argument("--wait", action="store_true", help="watch until all items are enriched, then count them")
        parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="with --wait: give up after so long")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["timeout"] is not None and not options["wait"]:
            raise CommandError("--timeout goes with --wait.")
        if options["wait"] and options["no_enrich"]:
            raise CommandError("With --no-enrich there is nothing to --wait for.")
        with advising(self, f"What was captured before stays captured. {how_to_go_on(options)}"):
            is_complete = self.capture(options)
        if not is_complete:
            sys.exit(EXIT_INCOMPLETE)

    def capture(self, options: dict[str, Any]) -> bool:
        """Take in all there is, then wait if asked to. False when something was refused or not enriched."""
        owner = find_owner(options["owner"])
        tally = Tally()
        ids: list[UUID] = []
        try:
            for captured, count in self.batches(tally, options, owner=owner):
                tally.captured += count
                tally.known += len(captured) - count
                ids.extend(captured if options["wait"] else ())
        finally:
            report(self, tally.lines(owner=owner.get_username()), unread=KEPT)
        is_enriched = not options["wait"] or self.wait(ids, timeout_seconds=options["timeout"])
        return is_enriched and not tally.refused

    def batches(self, tally: Tally, options: dict[str, Any], *, owner: User) -> Iterator[tuple[list[UUID], int]]:
        """Store the texts as they come, a batch at a time, each committed at once: their ids, and how many are new."""
        names = options["names"] or [STANDARD_INPUT]
        if STANDARD_INPUT in names and sys.stdin and sys.stdin.isatty():
            self.stderr.write("Type or paste the text, then press Ctrl-D on a line of its own.")
        cutter = "\n" if options["each_line"] else options["split"]
        with bar_for(names, cutter) as bar:
            found = counted(texts_from(names, separator=cutter), bar, cutter)
            texts = tally.accepted(found, is_whole=cutter is None, cut=options["cut"])
            while batch := list(islice(texts, BATCH_SIZE)):
                # With LITEVAULT_DEBUG, Django remembers every query, and these queries hold whole files.
                reset_queries()
                if options["once"]:
                    yield capture_once(owner, batch, enrich=not options["no_enrich"])
                else:
                    items = Item.objects.capture_many(owner=owner, raw_texts=batch, enrich=not options["no_enrich"])
                    yield [item.id for item in items], len(items)

    def wait(self, ids: list[UUID], *, timeout_seconds: float | None) -> bool:
        """Watch until the worker is done with all. False when some have failed or the time was too short."""
        watch = Watch(ids)
        started_at = time.monotonic()
        try:
            if ids and not is_listener_alive():
                self.stderr.write("No listener is running, so the items wait. Start one: manage.py enrich_listener")
            with progress("Enriching", total=len(ids)) as bar:
                for done in watch.until_done(timeout_seconds=timeout_seconds):
                    bar.update(done)
        finally:
            report(self, [watch.report(seconds_taken=time.monotonic() - started_at)], unread=KEPT)
        return not watch.left and not watch.error_codes


def add_cutters(parser: ArgumentParser) -> None:
    cutters = parser.add_mutually_exclusive_group()
    cutters.add_argument("--each-line", action="store_true", help="one item per line; blank lines are skipped")
    cutters.add_argument(
        "--split",
        type=separator,
        metavar="SEPARATOR",
        help=r"one item per piece between separators, such as '\n\n' (\n, \t and \0 have their meaning); "
        "write --split=--- for one that begins with a dash",
    )


def how_to_go_on(options: dict[str, Any]) -> str:
    if options["once"]:
        return "Run the same again to go on."
    return "With --once the same can be run again, and goes on."


def bar_for(names: list[str], cutter: str | None) -> "tqdm[NoReturn]":
    """Files are counted. How many pieces there are in one nobody knows before, but how long it is."""
    if cutter is None:
        return progress("Capturing", total=files_in(names))
    return bytes_progress("Capturing", total=bytes_in(names))


def counted(found: Iterable[Found], bar: "tqdm[NoReturn]", cutter: str | None) -> Iterator[Found]:
    for one in found:
        if cutter is None:
            # Nobody expects what is hidden or binary.
            bar.update(not isinstance(one, Skipped))
        elif isinstance(one, Piece):
            # After the last piece stands no separator.
            length = len((one.text + cutter).encode(errors="surrogateescape"))
            bar.update(length if bar.total is None else min(length, bar.total - bar.n))
        yield one


def separator(text: str) -> str:
    for written, meant in (("\\n", "\n"), ("\\t", "\t"), ("\\0", "\0")):
        text = text.replace(written, meant)
    if not text:
        raise ArgumentTypeError("a separator has at least one character")
    return text


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError("a number of seconds, 0 or more")
    return value

"""The base of all commands: --json, -v 0, exit codes, and suggestions for misspelled words."""

import argparse
import logging
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

from items.management.exit_codes import EXIT_CODES, write_lines
from items.management.terminal import as_json
from items.suggestions import did_you_mean

QUIET = 0
INDENT = "      "


class HelpFormatter(DjangoHelpFormatter):
    """Wraps each line of a description or an epilog by itself, so that examples keep their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            textwrap.fill(line, width, initial_indent=indent, subsequent_indent=INDENT if line[:1] == " " else indent)
            for line in text.splitlines()
        )


class Parser(CommandParser):
    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raises ArgumentError, with similar values."""
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            message = f"{str(value)!r} is unknown.{did_you_mean(str(value), known)} Known: {', '.join(known)}"
            raise argparse.ArgumentError(action, message)


class ProjectCommand(BaseCommand):
    """Commands report what they did with `report`, for people and for programs.

    With -v 0 they print only what they were asked for, and errors.
    """

    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType({})
    """Their meanings, where they differ from those that all commands share."""
    has_json: ClassVar[bool] = True
    examples: ClassVar[str] = ""

    is_quiet = False
    is_json = False

    @classmethod
    def all_exit_codes(cls) -> dict[int, str]:
        return dict(sorted({**EXIT_CODES, **cls.exit_codes}.items()))

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        codes = "".join(f"\n  {code:<3} {meaning}" for code, meaning in self.all_exit_codes().items())
        examples = f"examples:\n{textwrap.indent(self.examples, '  ')}\n" if self.examples else ""
        options = {"formatter_class": HelpFormatter, "epilog": f"{examples}exit codes:{codes}", **options}
        parser = super().create_parser(prog_name, subcommand, **options)
        parser.__class__ = Parser  # Django's method names the class of its parser itself
        if self.has_json:
            parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.is_quiet = options["verbosity"] == QUIET
        self.is_json = options.get("json", False)
        self._record: dict[str, Any] = {}
        root = logging.getLogger()
        level = root.level
        if self.is_quiet:
            root.setLevel(max(level, logging.WARNING))
        try:
            return super().execute(*args, **options)
        finally:
            root.setLevel(level)
            if self._record:
                write_lines(self, [as_json(self._record, self.encoding)])

    @property
    def encoding(self) -> str:
        """Return the encoding of standard output."""
        return getattr(self.stdout, "encoding", None) or "utf-8"

    def report(self, lines: Iterable[str], *, kept: str = "", is_asked_for: bool = False, **record: Any) -> None:
        """Write lines for people at once, or keep the record for the JSON document at the end.

        `kept` is a sentence for standard error if the reader of standard output has gone away. Lines that were asked
        for, such as a list, are written with -v 0, too.
        """
        if self.is_json:
            self._record |= record
        elif is_asked_for or not self.is_quiet:
            write_lines(self, lines, kept=kept)

    def advise(self, sentence: str) -> None:
        """Write a sentence for people to standard error, as a part of no result."""
        if not self.is_quiet:
            self.stderr.write(sentence)

"""The exit codes of commands, and their messages when they are interrupted."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from postgres.sqlstates import sentence_of

EXIT_INCOMPLETE = 1
EXIT_INTERRUPTED = 130

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        0: "done",
        1: "an error, which standard error describes in a sentence",
        2: "wrong options or arguments; nothing was done",
        EXIT_INTERRUPTED: "interrupted by Ctrl-C",
    }
)
"""What the exit codes of all commands mean."""


@contextmanager
def interruptible(command: BaseCommand, advice: str) -> Iterator[None]:
    """Exit with advice on how to continue when Ctrl-C or a database error ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        command.stderr.write(f"Interrupted. {advice}")
        sys.exit(EXIT_INTERRUPTED)
    except Error as error:
        raise CommandError(f"{sentence_of(error)} {advice}") from None


def write_lines(command: BaseCommand, lines: Iterable[str], *, kept: str = "") -> None:
    """Write to standard output. If its reader has gone away, the command goes on and says on stderr what is kept."""
    try:
        for line in lines:
            command.stdout.write(line)
        command.stdout.flush()
    except BrokenPipeError:
        command.stderr.write(f"Standard output was closed before the summary was written. {kept}".strip())
        discard_standard_output()


def discard_standard_output() -> None:
    """Python flushes standard output at exit, and would report again that its reader has gone away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

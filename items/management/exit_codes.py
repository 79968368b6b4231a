"""How a command ends that could not do all it was asked for."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

EXIT_INCOMPLETE = 1
EXIT_INTERRUPTED = 130


@contextmanager
def advising(command: BaseCommand, advice: str) -> Iterator[None]:
    """Say what was kept and how to go on when Ctrl-C, or a database that went away, ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        command.stderr.write(f"Interrupted. {advice}")
        sys.exit(EXIT_INTERRUPTED)
    except (InterfaceError, OperationalError):
        raise CommandError(f"The database does not answer. {advice}") from None


def report(command: BaseCommand, lines: Iterable[str], *, unread: str) -> None:
    """Write to standard output what was done. That its reader has gone away undoes nothing, as `unread` says then."""
    try:
        for line in lines:
            command.stdout.write(line)
        command.stdout.flush()
    except BrokenPipeError:
        command.stderr.write(f"Standard output was closed before the report was written. {unread}")
        abandon_standard_output()


def abandon_standard_output() -> None:
    """Its reader has gone away. Python flushes once more at its end, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

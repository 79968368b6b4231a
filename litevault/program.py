"""The program `litevault`, which is also manage.py: run a command.

Without DATABASE_URL or DATABASE_URL_FILE, the embedded PostgreSQL serves it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, execute_from_command_line
from django.db import Error, InterfaceError, OperationalError, connection

from litevault import __version__
from litevault.dotenv import read_dotenv
from litevault.home import POSTGRES
from postgres.embedded.embedded import running_postgres
from postgres.embedded.errors import PostgresUnavailable
from postgres.sqlstates import sentence_of

INTERRUPTED = 130
ASK_FOR_VERSION = (["version"], ["--version"])
WITHOUT_DATABASE = {"help", "version", "enrich_text"}
HELP_OPTIONS = {"--help", "-h", "--version"}
WITH_THEIR_OWN_MIGRATION = {"migrate", "up"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    escape_unknown_characters()
    if sys.argv[1:] in ASK_FOR_VERSION:  # Django would print its own, and finds no command of this name
        sys.stdout.write(f"{__version__}\n")
        return
    try:
        with database(sys.argv):
            if sys.argv[1:2] == ["enrich_listener"] and HELP_OPTIONS.isdisjoint(sys.argv):
                observe("litevault-listener")
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (ImproperlyConfigured, PostgresUnavailable, Error) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(sentence_for(error))


def observe(service: str) -> None:
    """Begin to send traces and reports of crashes, if the environment asks for them."""
    from litevault.operations import error_reports, traces  # need settings, which need the database's address

    traces.start(service)
    error_reports.start(service)


def escape_unknown_characters() -> None:
    """Let a terminal that knows only ASCII or Latin-1 show other characters as escapes, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def database(arguments: list[str]) -> Iterator[None]:
    """Keep a database available while the command runs."""
    read_dotenv()
    command = arguments[1] if len(arguments) > 1 else "help"
    needs_none = command in WITHOUT_DATABASE or not HELP_OPTIONS.isdisjoint(arguments)
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE") or needs_none:
        yield
        return
    with running_postgres(POSTGRES) as url:
        os.environ["DATABASE_URL"] = url
        if command not in WITH_THEIR_OWN_MIGRATION:
            migrate_if_empty()
        yield


def migrate_if_empty() -> None:
    """Create the tables in a new embedded database, so that any command can be the first one."""
    django.setup()
    if not connection.introspection.table_names():
        call_command("migrate", verbosity=0)
    connection.close()


def sentence_for(error: Exception) -> str:
    """Return a sentence that says what to do, without the driver's message, which may quote a user's text."""
    if isinstance(error, OperationalError | InterfaceError):
        return "The database does not answer. Check DATABASE_URL, and that its server runs. (--traceback shows more.)"
    if isinstance(error, Error):
        return f"{sentence_of(error)} (--traceback shows more.)"
    return str(error)


if __name__ == "__main__":
    main()

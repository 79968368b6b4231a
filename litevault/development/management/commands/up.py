"""The whole of LiteVault in one foreground command, for development: what `make run` calls."""

import http.client
import os
import secrets
import signal
import socket
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connections

from enrichment.management.supervisor import Child, Event, Program, Supervisor
from litevault.settings.declaration import read
from postgres.embedded.embedded import FOLDER, serves
from postgres.embedded.processes import dying_with_parent

HOST = "127.0.0.1"
READY_SECONDS = 60
DATABASE_POLL_SECONDS = 1

# As many threads as the web server's pool has connections: more would only wait for one (wsgi.py).
WEB_THREADS = 16

LAST_PORT = 65535

ADMIN = "admin"
PASSWORD_FILE = settings.BASE_DIR / "var" / "admin-password"

BANNER = """
LiteVault is running.

  API      {base}/api/v1/items
  Admin    {base}/admin/{login}
  Docs     {base}/api/v1/docs
  Events   {events}/api/v1/events

  Capture a text, then see what became of it:
    {curl} -H 'Content-Type: application/json' -d '{text}' {base}/api/v1/items
    {curl} {base}/api/v1/items/pending

  Ctrl-C stops all of it. The data stay.
"""
CURL = "curl -H 'X-Dev-User-Id: admin'"
EXAMPLE = '{"rawText": "PostgreSQL wakes the worker by itself: a trigger calls NOTIFY and the worker LISTENs."}'


class Command(BaseCommand):
    help = "Start the database, the web server, the events process and one listener together, until Ctrl-C."
    requires_system_checks: list[str] = []  # noqa: RUF012  # the children check themselves

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=8080, help="where the web server listens (8080)")
        parser.add_argument("--no-listener", action="store_true", help="enrich nothing: items stay in ENRICHING")

    def handle(self, *_args: str, port: int, no_listener: bool, **_options: Any) -> None:
        refuse_taken_port(port)
        events_port = free_port(port + 1)
        database_is_gone = end_of_embedded_server()
        os.environ["LITEVAULT_DEBUG"] = os.environ.get("LITEVAULT_DEBUG") or "true"
        project, _, _ = read(os.environ)
        call_command("migrate", verbosity=0, interactive=False)
        login = admin_login() if project.debug else ""
        connections.close_all()
        programs = [web(port, events_port), events(events_port), *(() if no_listener else (listener(),))]
        with Supervisor(programs) as supervisor:
            base, events_base = (f"http://{HOST}:{number}" for number in (port, events_port))
            banner = BANNER.format(base=base, events=events_base, login=login, curl=CURL, text=EXAMPLE)
            # Ready, where there is a listener, means that it listens.
            web_path = "/healthz" if no_listener else "/readyz"
            wanted = ((port, web_path), (events_port, "/healthz"))
            event = self.watch(supervisor, banner, wanted=wanted, database_is_gone=database_is_gone)
        if not isinstance(event, signal.Signals):
            # A child may have ended only because the database had.
            raise failure(None if database_is_gone() else event)
        self.say("Stopped.")

    def watch(
        self,
        supervisor: Supervisor,
        banner: str,
        *,
        wanted: Sequence[tuple[int, str]],
        database_is_gone: Callable[[], bool],
    ) -> Event | None:
        """Print the banner once all the wanted ports and paths answer; return what puts an end to it all.

        That is None if it is the end of the embedded server.
        """
        try:
            event = supervisor.first_event(
                or_when=lambda: database_is_gone() or all(answers(port, path) for port, path in wanted),
                within=READY_SECONDS,
            )
        except TimeoutError:
            raise CommandError(f"The processes were not ready within {READY_SECONDS} seconds.") from None
        if event is None and not database_is_gone():
            self.say(banner)
            event = supervisor.first_event(or_when=database_is_gone, every=DATABASE_POLL_SECONDS)
        if isinstance(event, signal.Signals):
            self.say("\nStopping …")
        return event

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def end_of_embedded_server() -> Callable[[], bool]:
    """Make a question that can be asked again and again: has the embedded server ended that we use now?

    Of a server that DATABASE_URL names it is always denied: that may come back, and the children wait for it.
    """
    url = os.environ.get("DATABASE_URL", "")
    is_embedded = serves(url)
    return lambda: is_embedded and not serves(url)


def failure(ended: Child | None) -> CommandError:
    """Say who ended, a child or the embedded server, where nobody had asked for it."""
    if ended is None:
        return CommandError(
            f"All stopped, because the embedded PostgreSQL has ended. Its log is {FOLDER / 'server.log'}. "
            "The next start finds the data again."
        )
    return CommandError(
        f"All stopped, because {ended.name} ended with exit code {ended.exit_code}. The lines above tell why.",
        returncode=ended.exit_code or 1,
    )


def port_number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= LAST_PORT:
        return int(text)
    raise ArgumentTypeError(f"a port is a number from 1 to {LAST_PORT}")


def refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        # As the web server does it, so that connections which are just closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CommandError(f"Port {port} is not for ordinary users. Choose one: make run PORT=8081") from None
        except OSError:
            raise CommandError(
                f"Port {port} is in use. Stop what uses it, or choose another: make run PORT={port % LAST_PORT + 1}"
            ) from None


def free_port(wanted: int) -> int:
    """The wanted one, else any: nobody needs to know it, since the web server sends clients on to it."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise CommandError("No port is free for the events process.")


def web(port: int, events_port: int) -> Program:
    options = ["--blocking-threads", str(WEB_THREADS), "litevault.wsgi:application"]
    redirect = {"LITEVAULT_EVENTS_PORT": str(events_port)}
    return program("web", [*granian("wsgi", port), *options], redirect, colour=36)


def events(port: int) -> Program:
    return program("events", [*granian("asgi", port), "litevault.asgi:application"], {}, colour=33)


def granian(interface: str, port: int) -> list[str]:
    where = ["--interface", interface, "--host", HOST, "--port", str(port)]
    return ["-m", "granian", *where, "--workers-kill-timeout", "1", "--log-level", "error"]


def listener() -> Program:
    # Ctrl-C has to be quick. An item that is given back unfinished is enriched at the next start.
    grace = {"LITEVAULT_ENRICH_GRACE_SECONDS": os.environ.get("LITEVAULT_ENRICH_GRACE_SECONDS") or "2"}
    return program("listener", [str(settings.BASE_DIR / "manage.py"), "enrich_listener"], grace, colour=35)


def program(name: str, arguments: Sequence[str], environment: Mapping[str, str], *, colour: int) -> Program:
    return Program(
        name=name,
        command=[sys.executable, *arguments],
        environment={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(settings.BASE_DIR), **environment},
        colour=colour,
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )


def answers(port: int, path: str) -> bool:
    """Tell whether the web server answers, and is content."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == HTTPStatus.OK


def admin_login() -> str:
    """Make the development superuser, once, and tell its login. A password that was changed is not shown."""
    if not User.objects.filter(username=ADMIN).exists():
        User.objects.create_superuser(ADMIN, password=kept_password())
    elif not PASSWORD_FILE.exists() or not User.objects.get(username=ADMIN).check_password(kept_password()):
        return f"  (user {ADMIN}, with the password you gave it)"
    return f"  (user {ADMIN}, password {kept_password()})"


def kept_password() -> str:
    """One for this checkout, kept where only its owner can read it, so that each start shows the same."""
    if not PASSWORD_FILE.exists():
        PASSWORD_FILE.parent.mkdir(exist_ok=True)
        PASSWORD_FILE.touch(mode=0o600)
        PASSWORD_FILE.write_text(secrets.token_urlsafe(9))
    return PASSWORD_FILE.read_text()

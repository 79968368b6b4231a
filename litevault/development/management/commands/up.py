"""All of LiteVault in one foreground command, for development. `make run` calls it."""

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
from types import MappingProxyType
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser, call_command
from django.db import connections

from enrichment.management.supervisor import Child, Event, Program, Supervisor
from items.management.command import ProjectCommand
from litevault.home import CODE, IS_CHECKOUT, POSTGRES, VAR
from litevault.settings import DEVELOPMENT_MARK
from litevault.settings.declaration import read
from postgres.embedded.embedded import serves
from postgres.embedded.processes import dying_with_parent
from postgres.embedded.secret_file import write_secret

HOST = "127.0.0.1"
READY_SECONDS = 180  # the listener imports LiteLLM, which takes a minute on a busy machine
DATABASE_POLL_SECONDS = 1

# More than the web server's pool has connections, see postgres/django/waits.py.
WEB_THREADS = 16

LAST_PORT = 65535

ADMIN = "admin"
PASSWORD_FILE = VAR / "admin-password"

BANNER = """
LiteVault is running.

  API      {base}/api/v1/items
  Admin    {base}/admin/{login}
  Docs     {base}/api/v1/docs
  Events   {events}/api/v1/events

  Capture a text, then see what became of it:
    {curl} -H 'Content-Type: application/json' -d '{text}' {base}/api/v1/items
    {curl} {base}/api/v1/items/pending

  Ctrl-C stops all of it. Your data is kept.
"""
CURL = "curl -H 'X-Dev-User-Id: admin'"
EXAMPLE = '{"rawText": "PostgreSQL wakes the worker by itself: a trigger calls NOTIFY and the worker LISTENs."}'


class Command(ProjectCommand):
    help = "Start the database, the web server, the events process and one listener together, until Ctrl-C."
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {
            0: "stopped by Ctrl-C or another signal",
            1: "an error, or the embedded PostgreSQL has ended; a process that ended by itself passes its exit code on",
            130: "interrupted by Ctrl-C before the processes had started",
        }
    )
    has_json = False  # it shows the logs of its processes, and has no result
    requires_system_checks = ()  # the children run the checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=8080, help="the port of the web server (8080)")
        parser.add_argument("--no-listener", action="store_true", help="do not enrich: items stay in ENRICHING")

    def handle(self, *_args: str, port: int, no_listener: bool, **_options: Any) -> None:
        require_free_port(port)
        events_port = free_port(port + 1)
        database_is_gone = embedded_server_check()
        os.environ["LITEVAULT_DEBUG"] = os.environ.get("LITEVAULT_DEBUG") or "true"
        project, _, _ = read(os.environ)
        call_command("migrate", verbosity=0, interactive=False)
        login = admin_login() if project.debug else ""
        connections.close_all()
        programs = [web(port, events_port), events(events_port), *(() if no_listener else (listener(),))]
        with Supervisor(programs) as supervisor:
            base, events_base = (f"http://{HOST}:{number}" for number in (port, events_port))
            banner = BANNER.format(base=base, events=events_base, login=login, curl=CURL, text=EXAMPLE)
            # With a listener, /readyz waits until it listens.
            web_path = "/healthz" if no_listener else "/readyz"
            endpoints = ((port, web_path), (events_port, "/healthz"))
            event = self.supervise(supervisor, banner, endpoints=endpoints, database_is_gone=database_is_gone)
        if not isinstance(event, signal.Signals):
            # A child may have ended only because the database had.
            raise failure(None if database_is_gone() else event)
        self.write("Stopped.")

    def supervise(
        self,
        supervisor: Supervisor,
        banner: str,
        *,
        endpoints: Sequence[tuple[int, str]],
        database_is_gone: Callable[[], bool],
    ) -> Event | None:
        """Print the banner once all endpoints respond, and return the event that ends the run.

        Return None at the end of the embedded server.
        """
        try:
            event = supervisor.first_event(
                or_when=lambda: database_is_gone() or all(responds(port, path) for port, path in endpoints),
                within=READY_SECONDS,
            )
        except TimeoutError:
            raise CommandError(f"The processes were not ready within {READY_SECONDS} seconds.") from None
        if event is None and not database_is_gone():
            self.write(banner)
            event = supervisor.first_event(or_when=database_is_gone, every=DATABASE_POLL_SECONDS)
        if isinstance(event, signal.Signals):
            self.write("\nStopping …")
        return event

    def write(self, text: str) -> None:
        self.report([text])


def embedded_server_check() -> Callable[[], bool]:
    """Return a function that returns whether the embedded server in use has ended.

    It always returns False for a server from DATABASE_URL: that may come back, and the children wait for it.
    """
    url = os.environ.get("DATABASE_URL", "")
    is_embedded = serves(url, POSTGRES)
    return lambda: is_embedded and not serves(url, POSTGRES)


def failure(child: Child | None) -> CommandError:
    """Return the error for the unexpected end of a child, or of the embedded server."""
    if child is None:
        return CommandError(
            f"Stopped: the embedded PostgreSQL has ended. Its log is {POSTGRES / 'server.log'}. "
            "The next start finds the data again."
        )
    return CommandError(
        f"Stopped: {child.name} ended with exit code {child.exit_code}. See the lines above.",
        returncode=child.exit_code or 1,
    )


def port_number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= LAST_PORT:
        return int(text)
    raise ArgumentTypeError(f"a port is a number from 1 to {LAST_PORT}")


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        # As in the web server, so that closing connections do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CommandError(
                f"Port {port} needs root privileges. Choose another: make run PORT=8081, or --port 8081"
            ) from None
        except OSError:
            other = port % LAST_PORT + 1
            raise CommandError(
                f"Port {port} is in use. Stop what uses it, or choose another: make run PORT={other}, or --port {other}"
            ) from None


def free_port(preferred: int) -> int:
    """Return the preferred port if it is free, else any. The web server redirects clients to it."""
    for port in (preferred, 0):
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
    # Short, so that Ctrl-C is quick. Released items are enriched at the next start.
    grace = {"LITEVAULT_ENRICH_GRACE_SECONDS": os.environ.get("LITEVAULT_ENRICH_GRACE_SECONDS") or "2"}
    return program("listener", ["-m", "litevault.program", "enrich_listener"], grace, colour=35)


def program(name: str, arguments: Sequence[str], environment: Mapping[str, str], *, colour: int) -> Program:
    return Program(
        name=name,
        command=[sys.executable, *arguments],
        environment={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **({"PYTHONPATH": str(CODE)} if IS_CHECKOUT else {}),
            DEVELOPMENT_MARK: "1",
            **environment,
        },
        colour=colour,
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )


def responds(port: int, path: str) -> bool:
    """Return whether the server responds with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == HTTPStatus.OK


def admin_login() -> str:
    """Create the development superuser if necessary. Return its login, without a changed password."""
    password = stored_password()
    if not User.objects.filter(username=ADMIN).exists():
        password = password or new_password()
        User.objects.create_superuser(ADMIN, password=password)
    elif not password or not User.objects.get(username=ADMIN).check_password(password):
        return f"  (user {ADMIN}, with the password you gave it)"
    return f"  (user {ADMIN}, password {password})"


def stored_password() -> str:
    """Return the generated password of this folder, or "" if there is none."""
    return PASSWORD_FILE.read_text() if PASSWORD_FILE.exists() else ""


def new_password() -> str:
    password = secrets.token_urlsafe(9)
    PASSWORD_FILE.parent.mkdir(exist_ok=True)
    write_secret(PASSWORD_FILE, password)
    return password

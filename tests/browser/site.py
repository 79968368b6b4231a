"""A web server, an events process and a listener of their own, on the database that Django is connected to."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from tests.database import database_url
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

HOST = "127.0.0.1"
LISTENER = ("manage.py", "enrich_listener")
GRANIAN = ("-m", "granian", "--host", HOST, "--workers-kill-timeout", "5")
WEB = (*GRANIAN, "--interface", "wsgi", "--blocking-threads", "4", "litevault.wsgi:application")
EVENTS = (*GRANIAN, "--interface", "asgi", "litevault.asgi:application")


class Site:
    """The address, and the events process, which can be killed and restarted at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.events_port = free_port()
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start_web(self) -> None:
        self._start("web", *WEB, "--port", str(self._port), LITEVAULT_EVENTS_PORT=str(self.events_port))
        self._until("web", lambda: _answers(self._port))

    def start_events(self) -> None:
        self._start("events", *EVENTS, "--port", str(self.events_port))
        self._until("events", lambda: _answers(self.events_port) and "listener.connected" in self._log("events"))

    def kill_events(self) -> None:
        """Kill the events process."""
        process = self._started.pop("events")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
        # Its worker ends a moment later.
        until(lambda: not _answers(self.events_port))

    def heal(self) -> None:
        if "events" not in self._started:
            self.start_events()

    def start_listener(self, arguments: Sequence[str], **environment: str) -> None:
        self._start("listener", *arguments, **environment)
        self._until("listener", lambda: "listener.connected" in self._log("listener"))

    def stop(self) -> None:
        # Killed, a server would leave its worker behind.
        for process in self._started.values():
            process.send_signal(signal.SIGTERM)
        for process in self._started.values():
            process.wait(PATIENCE_SECONDS)

    def _start(self, name: str, *arguments: str, **more: str) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
        environment = {
            "DATABASE_URL": database_url(),
            "LITEVAULT_DEBUG": "true",
            "LITEVAULT_SECRET_KEY": settings.SECRET_KEY,  # so that a session made here is valid there
            "LITEVAULT_THROTTLE_PER_MINUTE": "0",
        }
        with (self._folder / f"{name}.log").open("wb") as output:
            self._started[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=ours | environment | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _until(self, name: str, condition: Callable[[], bool]) -> None:
        process = self._started[name]
        until(lambda: condition() or process.poll() is not None)
        assert process.poll() is None, f"{name} ended at once: {self._log(name)}"

    def _log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()


@contextmanager
def running_site(folder: Path, *, listener: Sequence[str] = LISTENER, **environment: str) -> Iterator[Site]:
    """Log the processes' output to the folder. The environment is the listener's."""
    site = Site(folder)
    try:
        site.start_web()
        site.start_events()
        site.start_listener(listener, **environment)
        yield site
    finally:
        site.stop()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()

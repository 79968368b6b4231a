"""The events process as a process of its own, against the test's database."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest
from django.contrib.auth.models import User

from tests.litevault.events.client import Listening, token_of
from tests.plugins.commands import CommandStarter, Started, starting
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until


class Events:
    """The process, and the tokens of those who listen to it."""

    def __init__(self, port: int, process: Started, *, metrics_port: int) -> None:
        self.port = port
        self.metrics_port = metrics_port
        self.process = process
        self._log_start = 0

    def listen(self, user: User, *, path: str = "/api/v1/events", last_event_id: str = "") -> Listening:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return Listening(self.port, path=path, Authorization=f"Bearer {token_of(user)}", **headers)

    def is_up(self) -> bool:
        try:
            with Listening(self.port, path="/healthz"):
                return True
        except OSError:
            return False

    def log(self) -> str:
        return self.process.log.read_text()[self._log_start :]

    def forget_log(self) -> None:
        self._log_start += len(self.log())

    def metrics(self) -> str:
        with Listening(self.metrics_port, path="/metrics") as asked:
            return asked.answer.read().decode()

    def open_streams(self) -> int:
        found = re.search(r"^litevault_event_streams (\S+)$", self.metrics(), re.MULTILINE)
        assert found
        return int(float(found[1]))

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_SECONDS)


class EventsStarter(Protocol):
    def __call__(self, **environment: str) -> Events: ...


@contextmanager
def starting_events(start: CommandStarter) -> Iterator[EventsStarter]:
    started: list[Events] = []

    def start_events(**environment: str) -> Events:
        port = free_port()
        environment = {"LITEVAULT_EVENTS_METRICS_PORT": str(free_port()), **environment}
        options = ("--interface", "asgi", "--port", str(port), "--workers", "1", "--workers-kill-timeout", "10")
        program = ("-m", "granian", *options, "litevault.asgi:application")
        metrics_port = int(environment["LITEVAULT_EVENTS_METRICS_PORT"])
        events = Events(port, start(program=program, **environment), metrics_port=metrics_port)
        started.append(events)
        until(lambda: events.process.poll() is not None or (has_looked(events) and events.is_up()))
        assert events.process.poll() is None, events.log()
        return events

    try:
        yield start_events
    finally:
        for events in started:
            # Killed, as other processes are at the end of a test, it would leave its worker behind.
            events.stop()


@pytest.fixture
def start_events(start: CommandStarter) -> Iterator[EventsStarter]:
    with starting_events(start) as start_events:
        yield start_events


@pytest.fixture(scope="module")
def shared_events(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Events]:
    """One process for all tests of a module: starting one takes longer than most of them."""
    with starting(tmp_path_factory.mktemp("events")) as start, starting_events(start) as start_events:
        yield start_events()


@pytest.fixture
def events(shared_events: Events, transactional_db: None) -> Iterator[Events]:
    """The shared process, without open streams and as if it had not logged anything."""
    shared_events.forget_log()
    yield shared_events
    until(lambda: shared_events.open_streams() == 0)


def has_looked(events: Events) -> bool:
    """Whether it knows if notifications come in."""
    return any(said in events.log() for said in ("listener.connected", "listener.degraded"))

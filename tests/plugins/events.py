"""The events process as a process of its own, against the test's database."""

import signal
from collections.abc import Iterator
from typing import Protocol

import pytest
from django.contrib.auth.models import User

from postgres.embedded.server import free_port
from tests.litevault.events.client import Listening, token_of
from tests.plugins.commands import CommandStarter, Started
from tests.waiting import until


class Events:
    """The process, and the tokens of those who listen to it."""

    def __init__(self, port: int, process: Started) -> None:
        self.port = port
        self.process = process

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
        return self.process.log.read_text()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


class EventsStarter(Protocol):
    def __call__(self, **environment: str) -> Events: ...


@pytest.fixture
def start_events(start: CommandStarter) -> Iterator[EventsStarter]:
    started: list[Events] = []

    def start_events(**environment: str) -> Events:
        port = free_port()
        options = ("--interface", "asgi", "--port", str(port), "--workers", "1", "--workers-kill-timeout", "10")
        program = ("-m", "granian", *options, "litevault.asgi:application")
        events = Events(port, start(program=program, **environment))
        started.append(events)
        until(lambda: events.process.poll() is not None or (has_looked(events) and events.is_up()))
        assert events.process.poll() is None, events.log()
        return events

    yield start_events
    for events in started:
        # Killed, as other processes are at the end of a test, it would leave its worker behind.
        events.stop()


@pytest.fixture
def events(start_events: EventsStarter) -> Events:
    return start_events()


def has_looked(events: Events) -> bool:
    """Whether it knows if notifications come in."""
    return any(said in events.log() for said in ("listener.connected", "listener.degraded"))

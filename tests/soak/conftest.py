"""The long versions of the scenarios in tests/faults. They run with `make soak` only."""

from collections.abc import Iterator

import pytest

from tests.plugins.commands import CommandStarter, Started
from tests.soak.queue import Queue, WorkerStarter
from tests.soak.server import OwnServer, own_server


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A server that a test may stop."""
    with own_server() as server:
        yield server


@pytest.fixture
def start_worker(start: CommandStarter, server: OwnServer) -> WorkerStarter:
    """Start a worker at that server, whose provider takes so many seconds for each item; wait until it listens."""

    def start_worker(seconds: float, *arguments: str, **environment: str) -> Started:
        program = ("-m", "tests.faults.slow_listener", str(seconds))
        process = start(*arguments, program=program, DATABASE_URL=server.url, **environment)
        process.until_it_listens()
        return process

    return start_worker


@pytest.fixture
def queue(server: OwnServer) -> Queue:
    return Queue(server)

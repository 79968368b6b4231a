"""Real worker processes that are slow on purpose, and a proxy to their database that can be made to misbehave."""

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from django.db import connection

from tests.end_to_end.conftest import (
    CommandStarter,
    Started,
    database_url,
    start,  # noqa: F401  # a fixture for the tests here
    start_listener,  # noqa: F401  # a fixture for the tests here
)
from tests.faults.proxy import Proxy


def through(proxy: Proxy) -> str:
    """The test's database, by way of the proxy."""
    return database_url(by_way_of=("127.0.0.1", proxy.port))


@pytest.fixture
def make_proxy(transactional_db: None) -> Iterator[Callable[[], Proxy]]:
    made: list[Proxy] = []

    def make() -> Proxy:
        proxy = Proxy(connection.settings_dict["HOST"], int(connection.settings_dict["PORT"]))
        made.append(proxy.__enter__())
        return proxy

    yield make
    for proxy in made:
        proxy.__exit__()


class SlowListenerStarter(Protocol):
    def __call__(self, seconds: float, *arguments: str, **environment: str) -> Started: ...


@pytest.fixture
def start_slow(start: CommandStarter) -> SlowListenerStarter:  # noqa: F811  # the fixture of that name
    """Start a listener whose provider takes so many seconds for each item, and wait until it listens."""

    def start_slow(seconds: float, *arguments: str, **environment: str) -> Started:
        program = ("-m", "tests.faults.slow_listener", str(seconds))
        process = start(*arguments, program=program, **environment)
        process.until_it_listens()
        return process

    return start_slow

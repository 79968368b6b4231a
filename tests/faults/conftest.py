"""Real worker processes that reach the database through a proxy, which the test can make misbehave."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from tests.end_to_end.conftest import start, start_listener  # noqa: F401  # fixtures for the tests here
from tests.faults.proxy import Proxy


def through(proxy: Proxy) -> str:
    """The test's database, by way of the proxy."""
    parts = connection.settings_dict
    password = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgresql://{parts['USER']}{password}@127.0.0.1:{proxy.port}/{parts['NAME']}"


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

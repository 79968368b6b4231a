"""Proxies to the test's database that can be made to misbehave."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from tests.database import database_url
from tests.faults.proxy import Proxy


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


def through(proxy: Proxy) -> str:
    """The test's database, by way of the proxy."""
    return database_url(by_way_of=("127.0.0.1", proxy.port))

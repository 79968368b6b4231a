"""Several hosts: each gets its share of the deadline, and the one that answered last is asked first."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import ConnectionTimeout

from postgres import hosts
from postgres.conninfo import database_conninfo
from postgres.django.base import PooledConnection
from postgres.hosts import Attempts, Target, connect, connect_async, has_moved, seconds_for_all
from postgres.session import CuttingConnection, Session
from tests.faults.proxy import Proxy
from tests.items.api.client import Api
from tests.raising import raising
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

LOOPBACK = "127.0.0.1"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> dict[Target, Target]:
    answered: dict[Target, Target] = {}
    monkeypatch.setattr(hosts, "_answered", answered)
    return answered


class Silent:
    """A server that accepts and stays silent."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.port = server.getsockname()[1]

    def was_asked(self) -> bool:
        self.server.setblocking(False)
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def silent_servers(count: int) -> Iterator[list[Silent]]:
    with ExitStack() as stack:
        yield [Silent(stack.enter_context(socket.create_server((LOOPBACK, 0)))) for _ in range(count)]


def behind(silent: Sequence[Silent], **options: Any) -> str:
    """Return the connection string of the database, after these servers."""
    count = len(silent)
    host, port = str(connection.settings_dict["HOST"]), str(connection.settings_dict["PORT"])
    ports = ",".join([*(str(each.port) for each in silent), port])
    return make_conninfo(database_conninfo(), host=",".join([LOOPBACK] * count + [host]), port=ports, **options)


async def connected_port(conninfo: str, *, seconds: float = PATIENCE_SECONDS) -> int:
    connected = await connect_async(CuttingConnection.connect, conninfo, deadline_seconds=seconds)
    port = connected.info.port
    await connected.close()
    return port


@pytest.mark.parametrize("count", [1, 2])
async def test_silent_first_hosts_leave_time_for_the_next(count: int) -> None:
    with silent_servers(count) as silent:
        port = await connected_port(behind(silent), seconds=3)

    assert port == int(connection.settings_dict["PORT"])


async def test_host_that_answered_last_is_asked_first() -> None:
    with silent_servers(1) as silent:
        await connected_port(behind(silent), seconds=1)
        assert silent[0].was_asked()

        await connected_port(behind(silent))

        assert not silent[0].was_asked()


def test_silent_first_host_is_left_and_remembered_without_a_loop() -> None:
    with silent_servers(1) as silent:
        parameters = conninfo_to_dict(behind(silent, connect_timeout=2))
        connect(psycopg.connect, parameters, deadline_seconds=4).close()
        assert silent[0].was_asked()

        connect(psycopg.connect, parameters, deadline_seconds=PATIENCE_SECONDS).close()

        assert not silent[0].was_asked()


async def test_name_with_two_addresses_is_two_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    host, port = connection.settings_dict["HOST"], str(connection.settings_dict["PORT"])
    with socket.create_server(("127.0.0.2", int(port))):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.2", host)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)

        connected = await connect_async(
            CuttingConnection.connect, make_conninfo(database_conninfo(), host="db.test"), deadline_seconds=2
        )

    assert connected.info.hostaddr == host
    await connected.close()


def test_silent_resolver_does_not_delay_the_end_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, ended = threading.Event(), threading.Event()

    def look_up(*_arguments: object, **_options: object) -> list[Any]:
        answered.wait(PATIENCE_SECONDS)
        ended.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(ConnectionTimeout):
        asyncio.run(connect_async(CuttingConnection.connect, "host=db.test", deadline_seconds=0.1))

    assert not ended.is_set()
    answered.set()
    assert ended.wait(PATIENCE_SECONDS)


async def test_unknown_name_is_an_error_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(psycopg.OperationalError, match="gaierror"):
        await connect_async(CuttingConnection.connect, "host=db.test", deadline_seconds=PATIENCE_SECONDS)


def test_address_that_a_name_no_longer_has_is_not_asked() -> None:
    """As after a failover that moves the name, while the old address answers as a standby."""
    parameters = {"host": "db.test"}
    remember(parameters, ("db.test", "10.0.0.1", ""))

    found = [targets_of(parameters, addresses) for addresses in (["10.0.0.2"], ["10.0.0.2", "10.0.0.1"])]

    assert found == [["10.0.0.2"], ["10.0.0.1", "10.0.0.2"]]


def remember(parameters: dict[str, str], target: Target) -> None:
    with psycopg.connect(database_conninfo()) as connected:
        Attempts(parameters, deadline_seconds=1).remember(target, connected)


def targets_of(parameters: dict[str, str], addresses: list[str]) -> list[str]:
    """Return the addresses in the order in which they are tried."""
    attempts = Attempts(parameters, deadline_seconds=1)
    tried = []
    for (host, address, port), _ in attempts:
        if address:
            tried.append(address)
        else:
            attempts.add([(host, each, port) for each in addresses])
    return tried


def test_host_that_turns_out_read_only_is_forgotten(owner: User) -> None:
    parameters = {"host": "10.0.0.1,10.0.0.2"}
    remember(parameters, ("10.0.0.2", "", ""))
    before = [target[0] for target, _ in Attempts(parameters, deadline_seconds=1)]

    with raising("25006", on="INSERT ON items"):
        Api(owner).post("/items", {"rawText": "A text."})

    assert before == ["10.0.0.2", "10.0.0.1"]
    assert [target[0] for target, _ in Attempts(parameters, deadline_seconds=1)] == ["10.0.0.1", "10.0.0.2"]


def first_of_two(proxy: Proxy) -> dict[str, Any]:
    own = conninfo_to_dict(database_conninfo())
    return {**own, "host": f"{LOOPBACK},{own['host']}", "port": f"{proxy.port},{own['port']}"}


@pytest.mark.parametrize(("balancing", "has_moved_on"), [({}, True), ({"load_balance_hosts": "random"}, False)])
def test_connection_is_outdated_once_another_host_is_used(
    make_proxy: Callable[[], Proxy], balancing: dict[str, str], *, has_moved_on: bool
) -> None:
    proxy = make_proxy()
    parameters = first_of_two(proxy) | balancing
    connections: list[psycopg.Connection[Any]] = []
    while not connections or connections[-1].info.port != proxy.port:  # at random, it may not be the first
        connections.append(connect(psycopg.connect, parameters, deadline_seconds=PATIENCE_SECONDS))
    former = connections[-1]
    was_outdated = has_moved(former)

    proxy.refuse()
    connections.append(connect(psycopg.connect, parameters, deadline_seconds=PATIENCE_SECONDS))

    assert not was_outdated
    assert has_moved(former) == has_moved_on
    assert not has_moved(connections[-1])
    for each in connections:
        each.close()


async def test_session_and_pool_leave_the_former_host(
    make_proxy: Callable[[], Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = make_proxy()
    parameters = first_of_two(proxy)
    monkeypatch.setattr("postgres.session.database_conninfo", lambda: make_conninfo(**parameters))
    session = Session(deadline_seconds=PATIENCE_SECONDS)
    pooled = await asyncio.to_thread(PooledConnection.connect, **parameters)
    statement = "SELECT pg_backend_pid()"
    ((before,),) = await session.fetch(statement, {})
    async with session.transaction() as fetch:
        ((in_transaction,),) = await fetch(statement, {})

    async def outlive_the_host() -> None:
        async with session.transaction() as fetch:
            await fetch(statement, {})
            proxy.refuse_new()
            (await asyncio.to_thread(PooledConnection.connect, **parameters)).close()

    with pytest.raises(psycopg.OperationalError):
        await outlive_the_host()
    with pytest.raises(psycopg.OperationalError):
        await asyncio.to_thread(pooled.execute, statement)
    ((after,),) = await session.fetch(statement, {})

    assert before == in_transaction != after
    assert pooled.closed
    await session.close()


async def test_silent_hosts_alone_end_at_the_deadline() -> None:
    with silent_servers(2) as silent:
        conninfo = make_conninfo(
            behind(silent), host=f"{LOOPBACK},{LOOPBACK}", port=",".join(str(s.port) for s in silent)
        )
        began = time.monotonic()

        with pytest.raises(ConnectionTimeout):
            await connected_port(conninfo, seconds=0.5)

    assert time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_unknown_name_is_an_error_and_the_next_host_is_asked() -> None:
    host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    conninfo = make_conninfo(database_conninfo(), host=f"nowhere.invalid,{host}", port=f"{port},{port}")

    assert await connected_port(conninfo) == int(port)
    with pytest.raises(psycopg.OperationalError, match="gaierror"):
        await connected_port(make_conninfo(database_conninfo(), host="nowhere.invalid"))


@pytest.mark.parametrize(
    ("parameters", "targets"),
    [
        ({}, [("", "", "")]),
        ({"host": "/run/postgresql"}, [("/run/postgresql", "", "")]),
        ({"host": "::1,fe80::1%eth0", "port": "5432"}, [("::1", "", "5432"), ("fe80::1%eth0", "", "5432")]),
        ({"host": "10.0.0.1,10.0.0.2", "port": "1,2"}, [("10.0.0.1", "", "1"), ("10.0.0.2", "", "2")]),
        ({"hostaddr": "10.0.0.1,10.0.0.2"}, [("", "10.0.0.1", ""), ("", "10.0.0.2", "")]),
        ({"host": "a,b", "hostaddr": "10.0.0.1,10.0.0.2"}, [("a", "10.0.0.1", ""), ("b", "10.0.0.2", "")]),
        ({"host": "10.0.0.1,10.0.0.2", "port": "1,2,3"}, [("10.0.0.1,10.0.0.2", "", "1,2,3")]),
    ],
)
def test_each_host_of_libpqs_lists_is_one_attempt(parameters: dict[str, str], targets: list[Target]) -> None:
    found = [target for target, _ in Attempts(parameters, deadline_seconds=1)]

    assert found == targets
    assert not any(hosts.is_name(target) for target in found)


def test_operators_connect_timeout_is_kept() -> None:
    parameters = {"host": "10.0.0.1,10.0.0.2", "connect_timeout": "3"}

    seconds = [each for _, each in Attempts(parameters, deadline_seconds=60)]

    assert seconds == [3, 3]
    assert seconds_for_all("host=10.0.0.1,10.0.0.2 connect_timeout=10") == 20


def test_hosts_are_shuffled_if_the_operator_balances_load(nothing_remembered: dict[Target, Target]) -> None:
    parameters = {"host": "10.0.0.1,10.0.0.2", "load_balance_hosts": "random"}
    nothing_remembered[hosts.target_of(parameters)] = ("10.0.0.1", "", "")

    first = {next(iter(Attempts(parameters, deadline_seconds=1)))[0][0] for _ in range(100)}

    assert first == {"10.0.0.1", "10.0.0.2"}

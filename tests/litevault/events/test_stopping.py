"""The events process stops in time, also during its start or a silent database."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from django.contrib.auth.models import User

from tests.faults.proxy import Proxy
from tests.litevault.events.client import HOST, Listening, token_of
from tests.plugins.commands import CommandStarter, Started
from tests.plugins.events import EventsStarter
from tests.plugins.proxies import through
from tests.ports import free_port
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

KILL_TIMEOUT_SECONDS = 10
CLIENTS = 12


def stops_in_time(process: Started) -> bool:
    asked_at = time.monotonic()
    process.terminate()
    code = process.wait(2 * KILL_TIMEOUT_SECONDS)
    # Not by the log: granian sometimes reports killing a worker that has just ended.
    return code == 0 and time.monotonic() - asked_at < KILL_TIMEOUT_SECONDS - 1


def log_of(process: Started) -> str:
    return process.log.read_text()


def imports_the_database_driver(process: Started) -> bool:
    """Return whether a worker is starting."""
    with suppress(psutil.Error):
        workers = psutil.Process(process.pid).children()
        return any("psycopg" in each.path for worker in workers for each in worker.memory_maps())
    return False


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_starting_worker_handles_the_signal_as_soon_as_it_can(start: CommandStarter, interface: str) -> None:
    options = ("--interface", interface, "--port", str(free_port()), "--workers-kill-timeout", "10")
    process = start(program=("-m", "granian", *options, f"litevault.{interface}:application"))
    until(lambda: imports_the_database_driver(process) or process.poll() is not None)

    assert "Started worker" not in log_of(process), "it was quicker than we are"
    assert stops_in_time(process), log_of(process)


@pytest.fixture
def a_crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        yield pool


def test_clients_of_a_silent_database_do_not_delay_the_stop(
    make_proxy: Callable[[], Proxy],
    start_events: EventsStarter,
    a_crowd: ThreadPoolExecutor,
    owner: User,
) -> None:
    proxy = make_proxy()
    events = start_events(DATABASE_URL=through(proxy), LITEVAULT_DEBUG="true")
    token = token_of(owner)
    proxy.fall_silent()

    def knock() -> None:
        with suppress(OSError):
            Listening(events.port, Authorization=f"Bearer {token}").close()

    for _ in range(CLIENTS):
        a_crowd.submit(knock)
    until(lambda: connections_to(events.process, events.port) >= CLIENTS)

    assert stops_in_time(events.process), events.log()


def connections_to(process: Started, port: int) -> int:
    """Return the number of clients that the worker has accepted."""
    (worker,) = psutil.Process(process.pid).children()
    held = worker.net_connections()
    return sum(each.status == psutil.CONN_ESTABLISHED and each.laddr == (HOST, port) for each in held)

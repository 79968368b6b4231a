"""A network that drops everything silently: the socket does not show it, so that a probe has to."""

import asyncio
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.queue import LISTENER_NAME, WORKER_CHANNELS
from items.states import Status
from litevault.accounts.models import ApiToken
from postgres.listener import Listener
from tests.database import database_url, reaches
from tests.enrichment.waiting import until
from tests.faults.proxy import Proxy
from tests.plugins.commands import CommandStarter, ListenerStarter
from tests.plugins.proxies import through
from tests.privacy.web import web_server
from tests.waiting import PATIENCE_SECONDS
from tests.waiting import until as until_now

pytestmark = pytest.mark.django_db(transaction=True)


def listener_through(proxy: Proxy, **options: Any) -> Listener:
    return Listener(
        through(proxy),
        channels=WORKER_CHANNELS,
        name=LISTENER_NAME,
        on_notification=lambda _channel, _payload: None,
        **options,
    )


async def test_probe_replaces_a_silent_listen_connection(make_proxy: Callable[[], Proxy]) -> None:
    proxy = make_proxy()
    health: list[bool] = []
    listener = listener_through(proxy, on_health=health.append, probe_seconds=0.3, deadline_seconds=2)
    running = asyncio.create_task(listener.run())
    await until(lambda: health == [True])

    proxy.fall_silent()
    silent_at = time.monotonic()
    await until(lambda: health == [True, False])
    found_after = time.monotonic() - silent_at
    proxy.heal()
    await until(lambda: health == [True, False, True])
    running.cancel()
    await asyncio.wait({running}, timeout=5)

    assert found_after < 0.3 + 2 + 2.5, "the probe, its deadline, and a slow machine"
    assert running.done()


async def test_listener_on_a_silent_connection_can_be_stopped(make_proxy: Callable[[], Proxy]) -> None:
    proxy = make_proxy()
    health: list[bool] = []
    listener = listener_through(proxy, on_health=health.append, probe_seconds=60)
    running = asyncio.create_task(listener.run())
    await until(lambda: health == [True])

    proxy.fall_silent()
    running.cancel()
    await asyncio.wait({running}, timeout=3)

    assert running.done()


def test_sweep_finds_items_while_notifications_are_swallowed(
    owner: User, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    start_listener(LITEVAULT_LISTEN_DATABASE_URL=through(proxy), LITEVAULT_ENRICH_SWEEP_SECONDS="1")
    reaches(Item.objects.capture(owner=owner, raw_text="heard"), Status.READY_TO_CONFIRM)

    proxy.fall_silent()

    reaches(Item.objects.capture(owner=owner, raw_text="not heard"), Status.READY_TO_CONFIRM)


def test_process_with_a_silent_listen_connection_stops_in_time(
    owner: User, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    process = start_listener(LITEVAULT_LISTEN_DATABASE_URL=through(proxy), LITEVAULT_ENRICH_SWEEP_SECONDS="1")

    proxy.fall_silent()
    reaches(Item.objects.capture(owner=owner, raw_text="not heard"), Status.READY_TO_CONFIRM)
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0


def test_silent_database_is_given_up_and_used_once_it_heals(
    owner: User, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy], tmp_path: Path
) -> None:
    proxy = make_proxy()
    # The claim that was held back may still reach the server: then its lease has to expire first.
    process = start_listener(
        DATABASE_URL=through(proxy),
        LITEVAULT_LISTEN_DATABASE_URL=database_url(),
        LITEVAULT_ENRICH_LEASE_SECONDS="2",
    )
    reaches(Item.objects.capture(owner=owner, raw_text="before"), Status.READY_TO_CONFIRM)

    proxy.fall_silent()
    item = Item.objects.capture(owner=owner, raw_text="meanwhile")
    until_now(lambda: proxy.is_holding_back)
    until_now(lambda: "claim.failed" in (tmp_path / "process-0.log").read_text())
    proxy.heal()

    reaches(item, Status.READY_TO_CONFIRM)
    assert process.poll() is None


def test_process_that_waits_for_a_silent_database_stops_in_time(
    owner: User, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    process = start_listener(DATABASE_URL=through(proxy), LITEVAULT_LISTEN_DATABASE_URL=database_url())
    reaches(Item.objects.capture(owner=owner, raw_text="before"), Status.READY_TO_CONFIRM)

    proxy.fall_silent()
    Item.objects.capture(owner=owner, raw_text="meanwhile")
    until_now(lambda: proxy.is_holding_back)
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0


def test_probes_are_answered_while_requests_wait_in_silence(
    owner: User, start: CommandStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    environment = {"DATABASE_URL": through(proxy), "LITEVAULT_STATEMENT_SECONDS": "3600"}
    token = ApiToken.objects.issue(user=owner, name="test")[1]
    with (
        web_server(start, token=token, more=("--blocking-threads", "16"), **environment) as web,
        ThreadPoolExecutor(32) as pool,
    ):
        assert "items" in web.call("GET", "/api/v1/items")

        proxy.fall_silent()
        pages = [pool.submit(web.call, "GET", "/api/v1/items") for _ in range(32)]
        until_now(lambda: proxy.is_holding_back)
        alive = web.call("GET", "/healthz")
        ready = web.call("GET", "/readyz")
        waiting = [page for page in pages if not page.done()]
        proxy.heal()
        later = [page.result() for page in waiting]
        until_now(lambda: "items" in web.call("GET", "/api/v1/items"))

    assert '"ok"' in alive
    assert '"database": "failed"' in ready
    assert any("items" in page for page in later), "the probes did not wait for the end of a request"

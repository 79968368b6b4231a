"""The primary dies or freezes under load, and its standby is promoted."""

import json
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from postgres.django.waits import POOL_CONNECTIONS
from tests.failover.clients import Clients, Seen, clients_at_work
from tests.failover.cluster import Cluster, Machine, cluster
from tests.faults.test_read_only_server import manage
from tests.plugins.commands import CommandStarter, Started, starting
from tests.privacy.web import web_server
from tests.waiting import until

CLIENTS = 3
LISTENERS = 2
SLOTS = 4
CONFIRMED_BEFORE = 6
BEHIND = 5
"""Captures that are answered while an asynchronous standby is left behind."""

LEASE_SECONDS = "10"
THREADS = ("--blocking-threads", "16")
AFTER_THAW = "after the thaw."
ITEMS = "SELECT id::text, raw_text, status FROM items"
ENRICHING = "SELECT count(*) FROM items WHERE status = 'ENRICHING'"
WRITTEN = "SELECT count(*) FROM items WHERE raw_text LIKE %s"
SUCCESSES = "SELECT item_id::text, count(*) FROM enrichment_attempts WHERE outcome = 'SUCCEEDED' GROUP BY 1"
WORKERS = """
    SELECT DISTINCT worker FROM enrichment_attempts
    WHERE outcome = 'SUCCEEDED' AND finished_at > now() - make_interval(secs => %s)
"""
FAULTS = [
    pytest.param("kill", "async", marks=pytest.mark.thorough),
    pytest.param("freeze", "sync", marks=pytest.mark.thorough),
    pytest.param("kill", "sync", marks=pytest.mark.soak),
    pytest.param("freeze", "async", marks=pytest.mark.soak),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("fault", "replication"), FAULTS)
def test_failover_under_load_loses_and_doubles_nothing(fault: str, replication: str, tmp_path: Path) -> None:
    is_sync = replication == "sync"
    calls = tmp_path / "calls"
    with cluster() as pair, starting(tmp_path) as start:
        issue_token = ("create_token", "owner", "--create-user", "--name", "test")
        token = manage(pair.primary.server.url, *issue_token).stdout.split()[-1]
        listeners = [start_listener(start, pair.url, calls, name) for name in names()]
        with (
            web_server(start, token=token, more=THREADS, DATABASE_URL=pair.url) as web,
            web_server(start, token=token, interface="asgi", DATABASE_URL=pair.url) as events,
            clients_at_work(Clients(web.port, events.port, token), capturing=CLIENTS) as (clients, finish),
        ):
            seen = clients.seen
            behind_since = load_until_it_fails(pair, seen, is_sync=is_sync)
            getattr(pair.primary, fault)()
            pair.promote()
            promoted_at = time.monotonic()

            recovered = recovery_times(seen, pair.standby.server.url, promoted_at)
            with pair.standby.connect() as watcher:
                finish()
                if fault == "freeze":
                    check_thawed(pair.primary, clients)
                until(lambda: watcher.execute(ENRICHING).fetchone() == (0,))
                items = {item: (text, status) for item, text, status in watcher.execute(ITEMS)}
                until(lambda: all(item in seen.streamed for item in items))
                until(lambda: all(seen.streamed[item][0] == status for item, (_, status) in items.items()))
                successes: dict[str, int] = dict(watcher.execute(SUCCESSES).fetchall())
            captured = dict(seen.captured)
            ready = json.loads(web.call("GET", "/readyz"))["checks"]
            ended = [listener.poll() for listener in listeners]

    called = Counter(calls.read_text().splitlines())
    by_text = {text: item for item, (text, _) in items.items()}
    lost = {text for text in captured if text not in by_text}
    print(f"\n{fault}, {replication}: after the promotion", end=" ")
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in recovered.items()), end="; ")
    print(f"{len(captured)} captures, {len(lost)} lost, {len(called - Counter(called.keys()))} called again")

    assert ended == [None] * LISTENERS
    assert ready == dict.fromkeys(("database", "writable", "migrations", "triggers", "listener"), "ok")
    assert len(by_text) == len(items), "an item is there twice"
    assert {status for _, status in items.values()} <= {"READY_TO_CONFIRM", "ARCHIVED"}
    assert successes == dict.fromkeys(items, 1)
    assert max(called.values()) <= 2, "one more call, at most"
    assert is_sync or len(lost) >= BEHIND - CLIENTS, "no capture was left behind"
    # With an asynchronous standby, what was answered while it was left behind is lost.
    kept_until = promoted_at if is_sync else behind_since
    for text, (item, answered_at) in captured.items():
        assert by_text.get(text) == item or (kept_until < answered_at < promoted_at and text in lost)
    for item, seen_at in seen.ready.items():
        if seen_at < kept_until:
            assert called[items[item][0]] == 1, "a draft that was seen is paid for again"
    for item, confirmed_at in seen.confirmed.items():
        if not kept_until < confirmed_at < promoted_at:
            assert items[item][1] == "ARCHIVED"


def load_until_it_fails(pair: Cluster, seen: Seen, *, is_sync: bool) -> float:
    """Return the time from which on an asynchronous standby is left behind."""
    if is_sync:
        pair.replicate_synchronously()
    until(lambda: len(seen.confirmed) >= CONFIRMED_BEFORE)
    behind_since = time.monotonic()
    if not is_sync:
        pair.stop_replication()
        behind_from = len(seen.captured)
        until(lambda: len(seen.captured) >= behind_from + BEHIND)
    return behind_since


def names() -> list[str]:
    return [f"listener-{number}" for number in range(LISTENERS)]


def start_listener(start: CommandStarter, url: str, calls: Path, name: str) -> Started:
    environment = {"DATABASE_URL": url, "LITEVAULT_ENRICH_LEASE_SECONDS": LEASE_SECONDS}
    program = ("-m", "tests.failover.counting_listener", str(calls))
    listener = start("--worker-id", name, "--concurrency", str(SLOTS), program=program, **environment)
    listener.until_it_listens()
    return listener


def recovery_times(seen: Seen, url: str, since: float) -> dict[str, float]:
    """Wait until each process has done something since that time. Return the seconds that it took."""
    recovered: dict[str, float] = {}

    def have_recovered() -> bool:
        working = {"web"} if any(at > since for _, at in list(seen.captured.values())) else set()
        working |= {"events"} if any(at > since for _, at in list(seen.streamed.values())) else set()
        working |= workers_since(url, time.monotonic() - since)
        for name in working - recovered.keys():
            recovered[name] = time.monotonic() - since
        return len(recovered) == LISTENERS + 2

    until(have_recovered)
    return recovered


def workers_since(url: str, seconds: float) -> set[str]:
    try:
        with psycopg.connect(url, connect_timeout=2) as watcher:
            return {worker for (worker,) in watcher.execute(WORKERS, [seconds])}
    except psycopg.OperationalError:  # not yet a primary, or not yet known to the proxy
        return set()


def check_thawed(old: Machine, clients: Clients) -> None:
    """The old primary accepts connections and writes again, and nothing of ours is written there."""
    old.thaw()
    with old.connect() as connection:
        for number in range(2 * POOL_CONNECTIONS):
            clients.capture(f"Text {number} {AFTER_THAW}")
        assert connection.execute(WRITTEN, [f"%{AFTER_THAW}"]).fetchone() == (0,)

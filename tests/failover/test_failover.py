"""The primary dies or freezes under load, and its standby is promoted."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.failover.clients import Clients, clients_at_work
from tests.failover.cluster import OTHERS, Cluster, Machine, cluster
from tests.faults.test_read_only_server import manage
from tests.plugins.commands import CommandStarter, starting
from tests.privacy.web import web_server
from tests.waiting import until

CLIENTS = 3
SLOTS = 4
LISTENERS = 2
BEFORE = 10
"""Confirmed items before the failover: enough that everything is at work."""

BEHIND = 5
"""Captures that are answered while an asynchronous standby is left behind."""

THREADS = ("--blocking-threads", "16")
ITEMS = "SELECT id::text, raw_text, status FROM items"
SUCCESSES = "SELECT item_id::text, count(*) FROM enrichment_attempts WHERE outcome = 'SUCCEEDED' GROUP BY 1"
SINCE = "SELECT count(*) FROM enrichment_attempts WHERE outcome = 'SUCCEEDED' AND worker = %s AND finished_at > %s"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "replication"),
    [
        ("kill", "async"),
        ("freeze", "sync"),
        pytest.param("kill", "sync", marks=pytest.mark.soak),
        pytest.param("freeze", "async", marks=pytest.mark.soak),
    ],
)
def test_failover_loses_and_doubles_nothing(fault: str, replication: str, tmp_path: Path) -> None:
    with cluster() as pair, starting(tmp_path) as start:
        token = manage(pair.primary.server.url, "create_token", "owner", "--create-user", "--name", "t").stdout.split()[-1]
        calls = tmp_path / "calls"
        listeners = [start_listener(start, pair, calls, f"listener-{number}") for number in range(LISTENERS)]
        with (
            web_server(start, token=token, more=THREADS, DATABASE_URL=pair.url) as web,
            web_server(start, token=token, interface="asgi", DATABASE_URL=pair.url) as events,
            clients_at_work(Clients(web.port, events.port, token), capturing=CLIENTS) as (clients, finish),
        ):
            seen = clients.seen
            if replication == "sync":
                pair.replicate_synchronously()
            until(lambda: len(seen.confirmed) >= BEFORE)
            behind_since = time.monotonic()
            if replication == "async":
                pair.stop_replication()
                captured = len(seen.captured)
                until(lambda: len(seen.captured) >= captured + BEHIND)

            failed_at = time.monotonic()
            getattr(pair.primary, fault)()
            pair.promote()
            promoted_at = time.monotonic()

            with pair.standby.connect() as watcher:
                recovered = recovery_times(seen, watcher, promoted_at)
                finish()
                until(lambda: Counter(status for *_, status in watcher.execute(ITEMS))["ENRICHING"] == 0)
                if fault == "freeze":
                    check_thawed(pair.primary, clients, watcher, replication)
                items = {str(item): (str(text), str(status)) for item, text, status in watcher.execute(ITEMS)}
                until(lambda: all(seen.streamed.get(item, ("",))[0] == status for item, (_, status) in items.items()))
                ready = json.loads(web.call("GET", "/readyz"))["checks"]
                successes = dict(watcher.execute(SUCCESSES).fetchall())
            assert [listener.poll() for listener in listeners] == [None, None]

    called = Counter(calls.read_text().splitlines())
    ids = {text: item for item, (text, _) in items.items()}
    lost = {text for text in seen.captured if text not in ids}
    again = {text: count for text, count in called.items() if count > 1}
    print(f"{fault}, {replication}: promoted after {promoted_at - failed_at:.1f} s; then", end=" ")
    print(", ".join(f"{name} after {seconds:.1f} s" for name, seconds in recovered.items()), end=". ")
    print(f"{len(seen.captured)} captures, {len(lost)} lost, {len(again)} called again, {seen.not_answered} not answered.")

    assert len(ids) == len(items), "an item is there twice"
    assert {status for _, status in items.values()} <= {"READY_TO_CONFIRM", "ARCHIVED"}
    assert successes == dict.fromkeys(items, 1)
    assert ready == dict.fromkeys(("database", "writable", "migrations", "triggers", "listener"), "ok")
    early = {item for item, at in seen.ready.items() if at < behind_since}
    assert {item for item in early if item not in items} == set()
    assert {item for item in early if called[items[item][0]] != 1} == set(), "a draft that was seen is paid for again"
    assert max(called.values()) <= 2
    assert len([text for text in again if text not in lost]) <= LISTENERS * (SLOTS + 1) + len(seen.captured) * (
        replication == "async"
    )
    for text in seen.captured:
        item, at = seen.captured[text]
        assert ids.get(text) == item or (text in lost and behind_since < at and replication == "async")
    kept = {item for item, at in seen.confirmed.items() if replication == "sync" or at < behind_since}
    assert {items[item][1] for item in kept} == {"ARCHIVED"}
    assert len(lost) >= BEHIND - CLIENTS if replication == "async" else not lost


def start_listener(start: CommandStarter, pair: Cluster, calls: Path, name: str) -> Any:
    program = ("-m", "tests.failover.counting_listener", str(calls))
    listener = start("--worker-id", name, "--concurrency", str(SLOTS), program=program, DATABASE_URL=pair.url)
    listener.until_it_listens()
    return listener


def recovery_times(seen: Any, watcher: "psycopg.Connection[Any]", promoted_at: float) -> dict[str, float]:
    """Wait for each of the processes. Return the seconds since the promotion."""
    waiting = {
        "web": lambda: any(at > promoted_at for _, at in list(seen.captured.values())),
        "events": lambda: any(at > promoted_at for _, at in list(seen.streamed.values())),
    }
    now = watcher.execute("SELECT now()").fetchone()
    for number in range(LISTENERS):
        parameters = [f"listener-{number}", *(now or ())]
        waiting[f"listener {number}"] = lambda parameters=parameters: watcher.execute(SINCE, parameters).fetchone() != (0,)
    recovered: dict[str, float] = {}

    def look() -> bool:
        for name in waiting.keys() - recovered.keys():
            if waiting[name]():
                recovered[name] = time.monotonic() - promoted_at
        return len(recovered) == len(waiting)

    until(look)
    return recovered


def check_thawed(old: Machine, clients: Clients, watcher: "psycopg.Connection[Any]", replication: str) -> None:
    """The old primary accepts connections and writes again. None of ours leads there."""
    old.thaw()
    with old.connect() as connection:
        until(lambda: connection.execute(OTHERS).fetchone() == (0,))
        before = connection.execute("SELECT count(*) FROM items").fetchone()
        for number in range(CLIENTS * 5):
            clients.capture(f"Text {number} after the thaw.")
        until(lambda: Counter(status for *_, status in watcher.execute(ITEMS))["ENRICHING"] == 0)
        assert connection.execute("SELECT count(*) FROM items").fetchone() == before
        assert connection.execute(OTHERS).fetchone() == (0,)

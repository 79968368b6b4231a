"""The recipe of docs/high-availability.md under load: a switchover, then one leader dies and another one freezes."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.failover.clients import Clients, Seen, clients_at_work
from tests.failover.recipe import DATABASES, Recipe, missing_programs, recipe
from tests.failover.test_failover import (
    CLIENTS,
    CONFIRMED_BEFORE,
    ENRICHING,
    ITEMS,
    LISTENERS,
    SUCCESSES,
    THREADS,
    names,
    recovery_times,
    start_listener,
)
from tests.faults.test_read_only_server import manage
from tests.plugins.commands import starting
from tests.privacy.web import web_server
from tests.waiting import until


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(missing_programs()), reason=f"not on the PATH: {', '.join(missing_programs())}")
def test_switchover_death_and_freeze_of_leaders_lose_nothing(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    with recipe() as machines, starting(tmp_path) as start:
        assert manage(machines.url, "migrate", "-v0").returncode == 0
        token = manage(machines.url, "create_token", "owner", "--create-user", "--name", "test").stdout.split()[-1]
        listeners = [start_listener(start, machines.url, calls, name) for name in names()]
        with (
            web_server(start, token=token, more=THREADS, DATABASE_URL=machines.url) as web,
            web_server(start, token=token, interface="asgi", DATABASE_URL=machines.url) as events,
            clients_at_work(Clients(web.port, events.port, token), capturing=CLIENTS) as (clients, finish),
        ):
            seen = clients.seen
            until(lambda: len(seen.confirmed) >= CONFIRMED_BEFORE)
            first = machines.leader()
            began_at = time.monotonic()
            machines.switch_over()
            until(machines.is_synchronous)
            recovery_times(seen, machines.url, time.monotonic())
            print(f"\nthe switchover: captures paused for {seen.longest_pause(began_at):.1f} s")

            second = machines.leader()
            replace(machines, seen, machines.kill_machine, second)
            machines.start_patroni(second)
            until(machines.is_synchronous)
            replace(machines, seen, machines.freeze_machine, first)
            machines.thaw_machine()
            until(machines.is_synchronous)

            finish()
            with psycopg.connect(machines.url, autocommit=True) as watcher:
                until(lambda: watcher.execute(ENRICHING).fetchone() == (0,))
                items = {item: (text, status) for item, text, status in watcher.execute(ITEMS)}
                until(
                    lambda: (
                        {item: seen.streamed.get(item, ("",))[0] for item in items}
                        == {item: status for item, (_, status) in items.items()}
                    )
                )
                successes: dict[str, int] = dict(watcher.execute(SUCCESSES).fetchall())
            captured = dict(seen.captured)
            ended = [listener.poll() for listener in listeners]

    called = Counter(calls.read_text().splitlines())
    by_text = {text: item for item, (text, _) in items.items()}
    assert {first, second} == set(DATABASES)
    assert ended == [None] * LISTENERS
    assert len(by_text) == len(items), "an item is there twice"
    assert by_text.items() >= {text: item for text, (item, _) in captured.items()}.items(), "a capture is lost"
    assert {status for _, status in items.values()} <= {"READY_TO_CONFIRM", "ARCHIVED"}
    assert {items[item][1] for item in seen.confirmed} == {"ARCHIVED"}
    assert successes == dict.fromkeys(items, 1)
    assert max(called.values()) <= 4, "one more call for each failover, at most"


def replace(machines: Recipe, seen: Seen, fault: Callable[[str], None], leader: str) -> None:
    """Wait until there is another leader, and print how long everything took."""
    failed_at = time.monotonic()
    fault(leader)
    until(lambda: machines.leader() not in ("", leader))
    replaced_at = time.monotonic()
    print(f"{fault.__name__}: another leader after {replaced_at - failed_at:.1f} s; then", end=" ")
    recovered = recovery_times(seen, machines.url, replaced_at)
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in recovered.items()), end="; ")
    print(f"captures paused for {seen.longest_pause(failed_at):.1f} s")

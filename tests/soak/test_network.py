"""Web server, two listeners, database and model on five hosts, joined by a network that is slow, lossy and divided."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from items.states import Outcome
from postgres.transactions import IDLE_SECONDS
from tests.enrichment.fake_llm_answers import Call, answer, ok
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.faults.hosts import NoNamespaces
from tests.plugins.commands import CommandStarter, Started
from tests.ports import free_port
from tests.soak.network.links import Host, Network, network_of
from tests.soak.network.load import Load, seconds_until
from tests.soak.queue import Queue
from tests.soak.server import PROJECT, OwnServer, environment, own_server
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]

ROUND_TRIP_SECONDS, JITTER_SECONDS, LOSS = 0.08, 0.03, 0.05
SEED = 11
LEASE_SECONDS, SWEEP_SECONDS = 20, 5
CALL_SECONDS = 3
CLIENTS, CALLS_AT_ONCE = 6, 4
PEACE_SECONDS, LONG_PARTITION_SECONDS, PARTITION_SECONDS = 15, 60, 45
LIMIT_SECONDS = 240
# A statement of LITEVAULT_STATEMENT_SECONDS, a connection of the pool, and a busy machine.
LONGEST_RESPONSE_SECONDS = 15 + 5 + 10
TEXT = re.compile(r"Text \d+ of client \d+ comes from afar\.")


@answer
async def after_seconds(call: Call) -> web.StreamResponse:
    await asyncio.sleep(CALL_SECONDS)
    return await ok(call)


@dataclass
class Site:
    """The hosts, and what runs on them."""

    network: Network
    hosts: dict[str, Host]
    server: OwnServer
    queue: Queue
    model: FakeLLMServer
    load: Load
    listeners: dict[str, Started] = field(default_factory=dict)

    def ask(self, query: str, *values: object) -> int:
        """Query from the host of the database, which is not cut off from itself."""
        with self.hosts["database"].namespace.entered():
            return int(self.server.ask(query, *values))

    def wrong(self) -> int:
        with self.hosts["database"].namespace.entered():
            return self.queue.wrong()

    def links(self, *names: str) -> list[tuple[Host, Host]]:
        """Return the pairs of the database and each of these hosts."""
        return [(self.hosts[name], self.hosts["database"]) for name in names]

    def captured(self) -> int:
        return len(self.load.captured)

    def successes(self, worker: str) -> int:
        return self.ask("SELECT count(*) FROM enrichment_attempts WHERE worker = %s AND outcome = 'SUCCEEDED'", worker)

    def in_flight(self, worker: str) -> int:
        return self.ask("SELECT count(*) FROM items WHERE claimed_by = %s AND status = 'ENRICHING'", worker)

    def calls(self) -> Counter[str]:
        """Return how often each text was sent to the model."""
        return Counter(found[0] for call in self.model.calls if (found := TEXT.search(str(call.body["messages"]))))


@pytest.fixture
def site(start: CommandStarter, tmp_path: Path) -> Iterator[Site]:
    names = ("web", "database", "model", "listener-a", "listener-b")
    with ExitStack() as stack:
        try:
            network, hosts = stack.enter_context(
                network_of(*names, round_trip=ROUND_TRIP_SECONDS, jitter=JITTER_SECONDS, loss=LOSS, seed=SEED)
            )
        except NoNamespaces as reason:
            pytest.skip(f"this machine has no network namespaces for the hosts of this test: {reason}")
        with hosts["database"].namespace.entered():
            server = stack.enter_context(own_server(addresses=f"127.0.0.1,{hosts['database'].address}"))
            allow_network(server)
            queue = Queue(server)
            token = new_token(server)
        with hosts["model"].namespace.entered():
            model = FakeLLMServer(host=hosts["model"].address).start()
        stack.callback(model.stop)
        model.script("after_seconds")
        local = urlsplit(server.url)
        address = f"{local.username}:{local.password}@{hosts['database'].address}:{local.port}"
        url = local._replace(netloc=address).geturl()
        with hosts["web"].namespace.entered():
            port = free_port()
            stack.callback(stop, start_web(start, url, port))
        site = Site(network, hosts, server, queue, model, Load(hosts["web"].namespace, port, token))
        for name in ("listener-a", "listener-b"):
            with hosts[name].namespace.entered():
                site.listeners[name] = start_listener(start, name, url, model.url)
        yield site


def allow_network(server: OwnServer) -> None:
    with Path(server.ask("SHOW hba_file")).open("a") as rules:
        rules.write("host all all 198.18.0.0/24 scram-sha-256\n")
    server.ask("SELECT pg_reload_conf()")


def new_token(server: OwnServer) -> str:
    command = [sys.executable, "manage.py", "create_token", "owner"]
    settings = environment(DATABASE_URL=server.url)
    done = subprocess.run(command, cwd=PROJECT, env=settings, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def start_web(start: CommandStarter, url: str, port: int) -> Started:
    options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "16")
    return start(
        *options,
        "--workers-kill-timeout",
        "1",
        "litevault.wsgi:application",
        program=("-m", "granian"),
        DATABASE_URL=url,
        LITEVAULT_THROTTLE_PER_MINUTE="0",
        LITEVAULT_REQUESTS_AT_ONCE="1000",
    )


def start_listener(start: CommandStarter, name: str, url: str, model_url: str) -> Started:
    return start(
        "enrich_listener",
        "--worker-id",
        name,
        DATABASE_URL=url,
        LITEVAULT_ENRICH_LEASE_SECONDS=str(LEASE_SECONDS),
        LITEVAULT_ENRICH_SWEEP_SECONDS=str(SWEEP_SECONDS),
        LITEVAULT_LLM_PROVIDER="litellm",
        LITEVAULT_LLM_MODEL="openai/gpt-4o-mini",
        LITEVAULT_LLM_API_BASE=model_url,
        LITEVAULT_LLM_MAX_RETRIES="0",
        LITEVAULT_LLM_CONCURRENCY=str(CALLS_AT_ONCE),
        OPENAI_API_KEY="sk-of-the-network-test",
    )


def stop(process: Started) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


def test_slow_lossy_divided_network_loses_and_doubles_nothing(site: Site) -> None:
    seconds_until(site.load.answers, limit=LIMIT_SECONDS)
    with site.load.running(CLIENTS):
        seconds_until(lambda: all(site.successes(name) for name in site.listeners), limit=LIMIT_SECONDS)
        time.sleep(PEACE_SECONDS)  # the duration of a phase, not a wait
        report(f"{site.captured()} captures over a slow and lossy network; {site.load.summary('/api/v1/items')}")
        cut_off_listener(site)
        time.sleep(PEACE_SECONDS)  # likewise
        cut_off_web(site)
        time.sleep(PEACE_SECONDS)  # likewise
        cut_off_database(site)
        time.sleep(PEACE_SECONDS)  # likewise
    drained = seconds_until(
        lambda: site.ask("SELECT count(*) FROM items WHERE status = 'ENRICHING'") == 0, limit=LIMIT_SECONDS
    )
    report(f"{site.captured()} captures; the queue was empty {drained:.0f} s after the last")
    check(site)
    for name, process in site.listeners.items():
        assert process.poll() is None, f"{name} ended by itself"
        stop(process)
        assert process.returncode == 0


def cut_off_listener(site: Site) -> None:
    """Cut off a listener from the database, but not from the model, until its leases have run out and longer."""
    seconds_until(lambda: site.in_flight("listener-a"), limit=LIMIT_SECONDS)
    lost = "SELECT count(*) FROM enrichment_attempts WHERE worker = 'listener-a' AND outcome IN ('LOST', 'STALE')"
    lost_before = site.ask(lost)
    with site.network.partition(*site.links("listener-a")):
        cut_at = time.monotonic()
        held = site.in_flight("listener-a")
        taken_after = seconds_until(lambda: site.ask(lost) >= lost_before + held, limit=LONG_PARTITION_SECONDS)
        time.sleep(max(0, cut_at + LONG_PARTITION_SECONDS - time.monotonic()))  # the duration of the partition
        before = site.successes("listener-a")
    back_after = seconds_until(lambda: site.successes("listener-a") > before, limit=LIMIT_SECONDS)
    report(
        f"listener A was cut off from the database for {LONG_PARTITION_SECONDS} s with {held} items: B had them after"
        f" {taken_after:.1f} s; A finished the next one {back_after:.1f} s after the end"
    )
    assert held


def cut_off_web(site: Site) -> None:
    with site.network.partition(*site.links("web")):
        cut_at = time.monotonic()
        time.sleep(PARTITION_SECONDS)  # the duration of the partition
        check_abandoned_transactions(site)
    check_recovery(site, "the web server was cut off from the database", cut_at)


def cut_off_database(site: Site) -> None:
    with site.network.partition(*site.links("web", *site.listeners)):
        cut_at = time.monotonic()
        time.sleep(PARTITION_SECONDS)  # the duration of the partition
        check_abandoned_transactions(site)
        before = {name: site.successes(name) for name in site.listeners}
    check_recovery(site, "the database was cut off from all", cut_at)
    for name, successes in before.items():
        seconds_until(
            lambda name=name, successes=successes: site.successes(name) > successes,  # type: ignore[misc]
            limit=LIMIT_SECONDS,
        )


def check_abandoned_transactions(site: Site) -> None:
    """Check that the server has ended each transaction that holds locks and whose client it does not hear from."""
    abandoned = site.ask(
        "SELECT count(*) FROM pg_stat_activity activity WHERE state LIKE 'idle in transaction%%'"
        " AND state_change < now() - make_interval(secs => %s) AND EXISTS"
        " (SELECT FROM pg_locks WHERE pg_locks.pid = activity.pid AND locktype <> 'virtualxid')",
        IDLE_SECONDS + 5,
    )
    assert abandoned == 0


def check_recovery(site: Site, what: str, cut_at: float) -> None:
    """Wait until each client has received a 201 again, and check the responses since the partition began."""
    load, healed_at = site.load, time.monotonic()
    ready_after = seconds_until(lambda: load.has(HTTPStatus.OK, "/readyz", healed_at), limit=LIMIT_SECONDS)
    seconds_until(lambda: load.all_have_captured(healed_at), limit=LIMIT_SECONDS)
    captured_after = max(load.captured_at.values()) - healed_at
    report(
        f"{what} for {PARTITION_SECONDS} s: /readyz was 200 again after {ready_after:.1f} s, and every client had its"
        f" 201 after {captured_after:.1f} s"
    )
    for path in ("/healthz", "/readyz", "/api/v1/items"):
        report(f"    {load.summary(path, cut_at)}")
        assert all(response.seconds < LONGEST_RESPONSE_SECONDS for response in load.since(path, cut_at)), path
    assert load.statuses("/healthz", cut_at) == {HTTPStatus.OK}
    assert HTTPStatus.SERVICE_UNAVAILABLE in load.statuses("/readyz", cut_at)
    # 409: the first request with this key is still under way.
    assert load.statuses("/api/v1/items", cut_at) <= {
        HTTPStatus.CREATED,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }


def check(site: Site) -> None:
    """Check that each captured text is one item with one draft, and that only takeovers called the model again."""
    texts = site.load.captured
    outcomes = {
        outcome.value: site.ask("SELECT count(*) FROM enrichment_attempts WHERE outcome = %s", outcome.value)
        for outcome in Outcome
    }
    calls = site.calls()
    report(f"attempts: {outcomes}; calls of the model: {calls.total()}; packets: {dict(site.network.counts)}")
    assert site.wrong() == 0
    assert (
        site.ask("SELECT count(*) FROM items") == site.ask("SELECT count(DISTINCT raw_text) FROM items") == len(texts)
    )
    assert site.ask("SELECT count(*) FROM items WHERE raw_text = ANY(%s)", texts) == len(set(texts)) == len(texts)
    repeated = {text for text, count in calls.items() if count > 1}
    for text in repeated:
        attempts = site.ask(
            "SELECT count(*) FROM enrichment_attempts WHERE item_id = (SELECT id FROM items WHERE raw_text = %s)", text
        )
        assert calls[text] <= attempts, f"{calls[text]} calls in {attempts} attempts: {text}"
    assert outcomes["SUCCEEDED"] == len(texts)
    assert outcomes["FAILED"] == outcomes["RELEASED"] == outcomes["CANCELLED"] == 0


def report(sentence: str) -> None:
    print(sentence, flush=True)

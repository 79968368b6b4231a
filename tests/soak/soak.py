"""The soak: act and disturb, wait until all is quiet, and compare."""

import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.contrib.auth.models import User
from django.db import close_old_connections, connections

from items.models import EnrichmentAttempt, Item
from items.queue import LISTENER_NAME
from items.states import Status
from tests.faults.proxy import Proxy
from tests.soak.check import wrong_with_bulks, wrongs
from tests.soak.client import web_server
from tests.soak.disturbances import Disturbances, Span
from tests.soak.owners import Owner
from tests.soak.plan import DISTURBANCES, OWNER_NAMES, steps
from tests.soak.report import Findings, calm_waits, print_failure, print_table
from tests.soak.server import OwnServer
from tests.soak.workers import Workers
from tests.waiting import wait

DIRECT_WORKERS = 3
START_SECONDS = 60
# An item that was lost several times and then met an outage backs off for a minute or two.
QUIET_SECONDS = 240
SAMPLE_SECONDS = 1.0
# The largest bulk takes all slots for a few seconds, and the machine may be busy.
# On a busy machine, hundreds of items captured at once take long. A lost one would wait for ever.
LONGEST_CALM_WAIT_SECONDS = 30
WEB_CONNECTIONS = 16
# The three owners and this process.
OURS = 5
# Claims, verdicts, vocabularies and LISTEN.
CONNECTIONS_OF_A_WORKER = 4
# Several times as many as all of them use at once.
ROLL_CALL = 100
LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, %s)"
# A worker that stops and its replacement may overlap for a moment.
MOST_CONNECTIONS = 2 * (DIRECT_WORKERS + 1) * CONNECTIONS_OF_A_WORKER + WEB_CONNECTIONS + OURS
CLIENTS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def soak(server: OwnServer, *, seed: int, seconds: float, logs: Path) -> bool:
    """Print a table and the violations, and return whether there are none."""
    for name in OWNER_NAMES:
        User.objects.create_user(name)
    with proxy_to(server.url) as proxy, web_server(server.url, logs / "web.log") as client:
        workers = Workers(url=server.url, url_through_proxy=through(proxy, server.url), logs=logs)
        try:
            owners = {name: Owner(name, client) for name in OWNER_NAMES}
            return Soak(server, workers, Disturbances(server, workers, proxy), owners).run(seed, seconds)
        finally:
            workers.kill_all()
            connections.close_all()


class Soak:
    def __init__(
        self, server: OwnServer, workers: Workers, disturbances: Disturbances, owners: Mapping[str, Owner]
    ) -> None:
        self._server = server
        self._workers = workers
        self._disturbances = disturbances
        self._owners = owners
        self._problems: list[str] = []
        self._most_connections = 0
        self._sampled_at = 0.0
        self._drained_after = 0.0

    def run(self, seed: int, seconds: float) -> bool:
        for place in range(DIRECT_WORKERS + 1):
            self._workers.start(goes_through_proxy=place == 0)
        wait(lambda: all(worker.has_listened for worker in self._workers.all), seconds=START_SECONDS)
        self._act(seed, seconds)
        self._become_quiet()
        self._call_the_roll()
        self._stop_workers()
        return self._judge(seed)

    def _act(self, seed: int, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        for owner in self._owners.values():
            owner.begin()
        for step in steps(random.Random(seed)):
            if time.monotonic() > ends_at:
                return
            self._disturbances.undo_what_is_due()
            (self._disturbances if step.name in DISTURBANCES else self._owners[step.owner]).do(step)
            self._workers.look()
            self._sample()
            time.sleep(step.pause)  # the pace of the soak, not a wait

    def _become_quiet(self) -> None:
        self._disturbances.end()
        began_at = time.monotonic()
        for owner in self._owners.values():
            owner.end()
        if not wait(self._is_quiet, seconds=QUIET_SECONDS):
            self._problems.append(f"it did not become quiet within {QUIET_SECONDS} s")
        self._drained_after = time.monotonic() - began_at

    def _call_the_roll(self) -> None:
        """Check that every worker listens and works: others would make up for one that does not."""
        self._workers.look()
        expected = {worker.name for worker in self._workers.at_work()}
        if not wait(lambda: self._server.ask(LISTENERS, LISTENER_NAME) == len(expected), seconds=START_SECONDS):
            self._problems.append(f"{self._server.ask(LISTENERS, LISTENER_NAME)} of {len(expected)} workers listen")
        # So many at once wait for each other.
        self._disturbances.spans.append(Span("roll call", time.time(), math.inf))
        texts = next(iter(self._owners.values())).capture_together(ROLL_CALL)
        wait(self._is_quiet, seconds=QUIET_SECONDS)
        attempts = EnrichmentAttempt.objects.filter(item__raw_text__in=texts)
        if missing := expected - set(attempts.values_list("worker", flat=True)):
            self._problems.append(f"{', '.join(sorted(missing))} took nothing when all was quiet")

    def _is_quiet(self) -> bool:
        self._workers.look()
        close_old_connections()
        return not Item.objects.filter(status=Status.ENRICHING).exists()

    def _stop_workers(self) -> None:
        self._workers.look()
        at_work = self._workers.at_work()
        self._expect_connections(len(at_work))
        for worker in at_work:
            self._workers.tell_to_stop(worker, times=1)
        for worker in self._workers.told_to_stop():
            self._workers.see_off(worker)
        self._expect_connections(0)

    def _expect_connections(self, workers: int) -> None:
        most = workers * CONNECTIONS_OF_A_WORKER + WEB_CONNECTIONS + OURS
        if not wait(lambda: self._server.ask(CLIENTS) <= most, seconds=10):
            self._problems.append(f"{self._server.ask(CLIENTS)} connections with {workers} workers, and at most {most}")

    def _sample(self) -> None:
        if time.monotonic() < self._sampled_at + SAMPLE_SECONDS or not self._server.is_up:
            return
        self._sampled_at = time.monotonic()
        try:
            count = self._server.ask(CLIENTS)
        except psycopg.OperationalError:
            return
        self._most_connections = max(self._most_connections, count)

    def _judge(self, seed: int) -> bool:
        rows: dict[str, list[Item]] = {}
        for item in Item.objects.select_related("owner").prefetch_related("attempts"):
            rows.setdefault(item.raw_text, []).append(item)
        records = {text: record for owner in self._owners.values() for text, record in owner.records.items()}
        findings = Findings(
            records=list(records.values()),
            items=[item for found in rows.values() for item in found],
            workers=self._workers,
            disturbances=self._disturbances,
            most_connections=self._most_connections,
            drained_after=self._drained_after,
        )
        print_table(findings)
        failures = {text: list(wrongs(record, rows.get(text, []))) for text, record in records.items()}
        for text, sentences in failures.items():
            if sentences:
                print_failure(seed, records[text], rows.get(text, []), sentences)
        problems = [*self._problems_of_all(findings), *wrong_with_bulks(records.values(), rows)]
        problems += [f"nobody captured {text!r}" for text in rows.keys() - records.keys()]
        for problem in problems:
            print(f"seed {seed}: {problem}")
        return not problems and not any(failures.values())

    def _problems_of_all(self, findings: Findings) -> Iterator[str]:
        """Return the violations that belong to no item."""
        yield from self._problems
        yield from self._workers.problems
        if self._most_connections > MOST_CONNECTIONS:
            yield f"there were {self._most_connections} connections at a time, and at most {MOST_CONNECTIONS} expected"
        for owner in self._owners.values():
            yield from owner.problems
        longest = max((seconds for seconds, _ in calm_waits(findings)), default=0)
        if longest > LONGEST_CALM_WAIT_SECONDS:
            yield f"an item waited {longest:.1f} s, although nothing was disturbed"


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    with Proxy(parts.hostname, parts.port) as proxy:
        yield proxy


def through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()

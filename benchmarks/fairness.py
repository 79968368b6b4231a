"""What one user's searches cost the others: latency alone, and beside forty connections that search without a pause."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from benchmarks.api import carry_out
from benchmarks.benchmark import Benchmark, Run
from benchmarks.http_load import Order
from benchmarks.scratch import PROJECT
from benchmarks.web import THREADS, web_server

GREEDY_CONNECTIONS = 40
ITEMS = 12_000
SEARCH = "/api/v1/items?q=nowhereinanyitem"
CALLS = {"pending list of another user": "/api/v1/items/pending", "/healthz": "/healthz"}
LIMITS = {
    "8 requests at once": {},
    "no limits": {"LITEVAULT_REQUESTS_AT_ONCE": "1000", "LITEVAULT_THROTTLE_PER_MINUTE": "0"},
}
PERCENTILES = (("median", 0.5), ("p95", 0.95), ("p99", 0.99))


def run(asked: Run) -> None:
    asked.report.settings["server"] = f"granian, WSGI, one worker, {THREADS} threads"
    asked.report.settings["load"] = f"{GREEDY_CONNECTIONS} connections of one user, who has {ITEMS:,} items"
    greedy, modest = furnish(asked.url)
    seconds = asked.size(5, 20)
    for _ in range(asked.rounds):
        for limits, environment in LIMITS.items():
            with web_server(workers=1, **environment) as (_, address, _):
                for name, path in CALLS.items():
                    order = Order("GET", address + path, "", [modest], 1, seconds)
                    report(asked, name, "alone", carry_out(order).latencies_ms)
                    with searching(Order("GET", address + SEARCH, "", [greedy], GREEDY_CONNECTIONS, seconds + 4, True)):
                        report(asked, name, f"beside searches, {limits}", carry_out(order).latencies_ms)


def furnish(url: str) -> list[str]:
    """Return the tokens of a user with many items, and of one with a few."""
    from django.contrib.auth.models import User

    from litevault.accounts.models import ApiToken

    users = [User.objects.create_user(name) for name in ("greedy", "modest")]
    with psycopg.connect(url, autocommit=True) as connected:
        for user, count in zip(users, (ITEMS, 100), strict=True):
            connected.execute(
                "INSERT INTO items (owner_id, raw_text, title, summary, tags, source_type, status)"
                " SELECT %s, repeat('A text of the usual length. ', 40), 'A title', 'A summary', ARRAY['one', 'two'],"
                " 'NOTE', 'READY_TO_CONFIRM' FROM generate_series(1, %s)",
                [user.pk, count],
            )
        connected.execute("VACUUM ANALYZE items")
    return [ApiToken.objects.issue(user=user, name="benchmark")[1] for user in users]


@contextmanager
def searching(order: Order) -> Iterator[None]:
    """Keep the order running in a process of its own, beginning two seconds before."""
    command = [sys.executable, "-m", "benchmarks.http_load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=PROJECT) as process:
        assert process.stdin
        process.stdin.write(order.as_json())
        process.stdin.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            yield
        assert process.wait() == 0


def report(asked: Run, name: str, contender: str, latencies_ms: list[float]) -> None:
    ordered = sorted(latencies_ms)
    for label, share in PERCENTILES:
        asked.report.add(f"{name}, {label}", contender, ordered[int(len(ordered) * share)], unit="ms", better="lower")


BENCHMARK = Benchmark("fairness", "What do one user's searches cost the others?", run)

"""Requests per second and their latency, beside a bare view of Django REST framework on the same pool."""

import json
import subprocess
import sys

import psycopg

from benchmarks.benchmark import Benchmark, Run
from benchmarks.http_load import Order, Outcome
from benchmarks.scratch import PROJECT
from benchmarks.web import THREADS, web_server

CONNECTIONS = 16
USERS = 16
OWN_ITEMS = 300
SERVERS = {
    "LiteVault": {"LITEVAULT_THROTTLE_PER_MINUTE": "1000000", "LITEVAULT_REQUESTS_AT_ONCE": "1000"},
    "LiteVault, no throttle": {"LITEVAULT_THROTTLE_PER_MINUTE": "0", "LITEVAULT_REQUESTS_AT_ONCE": "1000"},
    "empty view, authenticated": {
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare.authenticated",
        "LITEVAULT_THROTTLE_PER_MINUTE": "1000000",
        "LITEVAULT_REQUESTS_AT_ONCE": "1000",
    },
    "bare DRF view, same fields": {"DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings"},
}
AS_IN_PRODUCTION = {"LITEVAULT_LOG_LEVEL": "INFO"}


def run(asked: Run) -> None:
    asked.report.settings["server"] = f"granian, WSGI, {THREADS} threads, {CONNECTIONS} connections of {USERS} users"
    tokens, item_id = furnish(asked.url)
    calls = {
        "capture": ("POST", "/api/v1/items", json.dumps({"rawText": "A text of the usual length, as it is captured."})),
        "pending list of 100": ("GET", "/api/v1/items/pending", ""),
        "detail": ("GET", f"/api/v1/items/{item_id}", ""),
    }
    for _ in range(asked.rounds):
        for workers in (1, 2):
            for server, environment in SERVERS.items():
                with web_server(workers=workers, **environment, **AS_IN_PRODUCTION) as (_, address, _):
                    for name, (method, path, body) in calls.items():
                        # An item has one owner.
                        asking = tokens[:1] if name == "detail" else tokens
                        order = Order(method, address + path, body, asking, CONNECTIONS, asked.size(2, 10))
                        carry_out(Order(method, address + path, body, asking, CONNECTIONS, 0.5))
                        outcome = carry_out(order)
                        of = f"{name}, {workers} web worker{'s' if workers > 1 else ''}"
                        asked.report.add(f"{of}", server, outcome.requests_per_second, unit="req/s", better="higher")
                        p99 = sorted(outcome.latencies_ms)[int(len(outcome.latencies_ms) * 0.99)]
                        asked.report.add(f"{of}, p99", server, p99, unit="ms")


def furnish(url: str) -> tuple[list[str], str]:
    """Users with a token each and some pending items; the id of one item of the first of them."""
    from django.contrib.auth.models import User

    from litevault.accounts.models import ApiToken

    users = [User.objects.create_user(f"benchmark{number}") for number in range(USERS)]
    tokens = [ApiToken.objects.issue(user=user, name="benchmark")[1] for user in users]
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute(
            "INSERT INTO items (owner_id, raw_text, title, summary, tags, source_type, status)"
            " SELECT id, 'A text of the usual length', 'A title', 'A summary', ARRAY['one', 'two', 'three'], 'NOTE',"
            " 'READY_TO_CONFIRM' FROM auth_user, generate_series(1, %s)",
            [OWN_ITEMS],
        )
        connected.execute("VACUUM ANALYZE items")
        row = connected.execute("SELECT id FROM items WHERE owner_id = %s LIMIT 1", [users[0].pk]).fetchone()
    assert row
    return tokens, str(row[0])


def carry_out(order: Order) -> Outcome:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.http_load"],
        input=order.as_json(),
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        check=True,
    )
    return Outcome(**json.loads(finished.stdout))


BENCHMARK = Benchmark("api", "How many requests per second, beside a bare view on the same pool?", run)

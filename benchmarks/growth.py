"""How large a day is on disk, and what claims notice of purge."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks.benchmark import Benchmark, Run
from benchmarks.crowd import grow_to, make_owners
from items.sql import QUEUE

DAY = 100_000
TEXT_LENGTH = 1000
BATCH = 500
VACUUM_EVERY = 10_000
"""In place of autovacuum, which does not keep up with a day that takes a minute."""

CLAIM = {
    "after_owner": 0,
    "per_owner": 0,
    "lease_seconds": 45,
    "worker": "benchmark",
    "text_length": 1_000_000,
}
CAPTURE = """
INSERT INTO items (owner_id, raw_text)
SELECT %(owner)s, left(repeat(md5(n::text || random()) || ' ', 40), %(length)s) FROM generate_series(1, %(number)s) n
"""
CONFIRM = "UPDATE items SET status = 'ARCHIVED', confirmed_at = now(), updated_at = now() WHERE id = ANY (%s)"
DISCARD = "UPDATE items SET status = 'DISCARDED', updated_at = now() WHERE id = ANY (%s)"
SIZE = "SELECT pg_table_size(%(table)s), pg_indexes_size(%(table)s)"


def run(asked: Run) -> None:
    owner = make_owners(asked.url)
    with psycopg.connect(asked.url, autocommit=True) as connected:
        connected.execute("DELETE FROM items")
        connected.execute("VACUUM FULL items")
        live_a_day(asked, connected, owner)
        if asked.is_full:
            grow_to(asked.url, 10_000_000, owner=owner)
        purge(asked, connected, owner)


def live_a_day(asked: Run, connected: psycopg.Connection, owner: int) -> None:
    """Capture, claim, finish and confirm, by the statements of the worker. One item in ten is discarded."""
    (begin,) = connected.execute("SELECT pg_current_wal_lsn()").fetchone() or (None,)
    for number in range(0, DAY, BATCH):
        connected.execute(CAPTURE, {"owner": owner, "length": TEXT_LENGTH, "number": BATCH})
        claimed = connected.execute(QUEUE["claim"], CLAIM | {"limit": BATCH}).fetchall()
        ids = [item_id for item_id, *_ in claimed]
        verdicts = [verdict(item_id, token) for item_id, _, _, token, *_ in claimed]
        connected.execute(QUEUE["finish"], {"verdicts": json.dumps(verdicts)})
        connected.execute(CONFIRM, [ids[BATCH // 10 :]])
        connected.execute(DISCARD, [ids[: BATCH // 10]])
        if number % VACUUM_EVERY == 0:
            connected.execute("VACUUM items")
    (wal,) = connected.execute("SELECT pg_current_wal_lsn() - %s::pg_lsn", [begin]).fetchone() or (0,)
    total = 0
    for table in ("items", "enrichment_attempts"):
        connected.execute(f"VACUUM ANALYZE {table}")
        for part, size in zip(
            ("rows", "indexes"), connected.execute(SIZE, {"table": table}).fetchone() or (), strict=True
        ):
            asked.report.add(f"{table}, {part}", "LiteVault", size / 2**20, unit="MiB")
            total += size
    asked.report.add(f"{DAY:,} items with texts of {TEXT_LENGTH:,} characters", "LiteVault", total / 2**20, unit="MiB")
    asked.report.add("write-ahead log", "LiteVault", int(wal) / 2**20, unit="MiB")


def verdict(item_id: object, token: int) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    return {
        "id": str(item_id),
        "status": "READY_TO_CONFIRM",
        "title": "A title of some forty characters or so",
        "summary": "A summary of two sentences, as a model writes it. " * 5,
        "tags": ["postgresql", "operations", "growth", "measurement"],
        "source_type": "NOTE",
        "delay_seconds": 0,
        "refund": 0,
        "outage": 0,
        "tags_filled": False,
        "hand_back": 0,
        "fencing_token": token,
        "worker": "benchmark",
        "started_at": now,
        "finished_at": now,
        "outcome": "SUCCEEDED",
        "model": "gpt-4.1-mini",
        "prompt_tokens": 700,
        "completion_tokens": 120,
        "cost_usd": "0.00047200",
    }


def purge(asked: Run, connected: psycopg.Connection, owner: int) -> None:
    """Claim alone, and then while all of the day is purged."""
    connected.execute(CAPTURE, {"owner": owner, "length": TEXT_LENGTH, "number": 1000})
    alone = [claim_and_undo(connected) for _ in range(200)]
    with ThreadPoolExecutor(1) as pool:
        begun_at = time.perf_counter()
        purging = pool.submit(delete_all)
        beside = list(claims_until(purging, connected))
        seconds = time.perf_counter() - begun_at
    asked.report.add("rows purged a second", "LiteVault", purging.result() / seconds, unit="", better="higher")
    asked.report.add_latencies("claim of 10", "alone", alone)
    asked.report.add_latencies("claim of 10", "beside purge", beside)


def claims_until(purging: Future[int], connected: psycopg.Connection) -> Iterator[float]:
    while not purging.done():
        yield claim_and_undo(connected)
        time.sleep(0.01)


def claim_and_undo(connected: psycopg.Connection) -> float:
    with connected.transaction(force_rollback=True):
        begun_at = time.perf_counter()
        connected.execute(QUEUE["claim"], CLAIM | {"limit": 10}).fetchall()
        return (time.perf_counter() - begun_at) * 1000


def delete_all() -> int:
    from django.db import connection  # Django is set up by then

    from items.deletion import delete_attempts, delete_discarded

    before = datetime.now(UTC) + timedelta(days=1)
    try:
        batches = [*delete_discarded(before=before), *delete_attempts(before=before)]
    finally:
        connection.close()
    return sum(batch.items + batch.attempts for batch in batches)


BENCHMARK = Benchmark("growth", "How large is a day of 100,000 captures, and what do claims notice of purge?", run)

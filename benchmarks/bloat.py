"""What many enrichments leave behind, with autovacuum as it is by default."""

import time

import psycopg

from benchmarks.benchmark import Run
from benchmarks.contenders.all import LITEVAULT
from benchmarks.running import fresh_keys, until_done, working

CONCURRENCY = 100
CHUNK = 10_000
# Autovacuum looks once a minute.
AUTOVACUUM_SECONDS = 75

CHURN = """
SELECT n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, autovacuum_count
FROM pg_stat_user_tables WHERE relname = 'items'
"""
SIZES = "SELECT pg_table_size('items'), pg_indexes_size('items'), pg_indexes_size('enrichment_attempts')"


def measure_bloat(asked: Run) -> None:
    number = asked.size(10_000, 1_000_000)
    with working(LITEVAULT, concurrency=CONCURRENCY), LITEVAULT.capturing(asked.url) as capturer:
        for _ in range(0, number, CHUNK):
            capturer.many(fresh_keys(CHUNK))
            until_done(LITEVAULT, asked.url, seconds=3600)
    if asked.is_full:
        time.sleep(AUTOVACUUM_SECONDS)
    with psycopg.connect(asked.url, autocommit=True) as connected:
        report_churn(asked, connected, number)
        report_sizes(asked, connected)


def report_churn(asked: Run, connected: psycopg.Connection, number: int) -> None:
    connected.execute("SELECT pg_stat_force_next_flush()")
    live, dead, updates, hot, vacuums = connected.execute(CHURN).fetchone() or (0,) * 5
    for measure, value, unit in (
        ("enrichments", number, ""),
        ("dead rows left", dead, ""),
        ("dead rows per live row", dead / max(1, live), ""),
        ("updates that touched no index (HOT)", hot / max(1, updates), "of 1"),
        ("autovacuum runs", vacuums, ""),
    ):
        asked.report.add(measure, "LiteVault", value, unit=unit, better="")


def report_sizes(asked: Run, connected: psycopg.Connection) -> None:
    """Bloat is what a rewrite gives back."""
    before = connected.execute(SIZES).fetchone() or ()
    for table in ("items", "enrichment_attempts"):
        connected.execute(f"VACUUM FULL {table}")
    after = connected.execute(SIZES).fetchone() or ()
    for what, left, tight in zip(("table", "indexes", "indexes of the attempts"), before, after, strict=True):
        asked.report.add(f"{what}, size against a fresh copy", "LiteVault", left / tight, unit="times", better="")

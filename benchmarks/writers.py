"""What the triggers cost those who capture: pgbench with and without the one that notifies."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.benchmark import Benchmark, Run
from benchmarks.contenders.all import LITEVAULT
from postgres.embedded.binaries import find_binaries

WITH, WITHOUT = "LiteVault", "without the trigger"
INSERT = (
    "INSERT INTO items (owner_id, raw_text) VALUES ({owner}, 'A text of the usual length, as somebody captures it.');"
)
BULK = "INSERT INTO items (owner_id, raw_text) SELECT %s, 'text ' || n FROM generate_series(1, %s) n"
TRIGGER = "items_notify_insert"


def run(asked: Run) -> None:
    LITEVAULT.install(asked.url)
    pgbench = find_binaries().folder / "pgbench"
    if not pgbench.exists():
        asked.report.remark("PostgreSQL's programs come without pgbench here: single captures were left out.")
    for _ in range(asked.rounds):
        for name in (WITH, WITHOUT):
            with psycopg.connect(asked.url, autocommit=True) as hearing, trigger_as(name, asked.url):
                hearing.execute("LISTEN items_enriching")
                for clients in (1, 8, 32) if pgbench.exists() else ():
                    rate = captures_per_second(pgbench, asked, clients)
                    asked.report.add(f"captures by {clients} writers", name, rate, unit="rows/s", better="higher")
                rows = asked.size(20_000, 100_000)
                asked.report.add(
                    f"{rows:,} rows in one statement", name, bulk(asked.url, rows), unit="rows/s", better="higher"
                )


@contextmanager
def trigger_as(name: str, url: str) -> Iterator[None]:
    """All else stays: indexes, constraints and the other triggers."""
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute("TRUNCATE items CASCADE")
        connected.execute(f"ALTER TABLE items {'ENABLE' if name == WITH else 'DISABLE'} TRIGGER {TRIGGER}")
        yield
        connected.execute(f"ALTER TABLE items ENABLE TRIGGER {TRIGGER}")


def captures_per_second(pgbench: Path, asked: Run, clients: int) -> float:
    with psycopg.connect(asked.url) as connected:
        (owner,) = connected.execute("SELECT min(id) FROM auth_user").fetchone() or (0,)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(INSERT.format(owner=owner))
        script.flush()
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(asked.size(3, 15))]
        finished = subprocess.run(
            [pgbench, *options, "-f", script.name, asked.url],
            env={"PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"tps = ([\d.]+)", finished.stdout)
    assert found, finished.stdout
    return float(found[1])


def bulk(url: str, rows: int) -> float:
    with psycopg.connect(url, autocommit=True) as connected:
        (owner,) = connected.execute("SELECT min(id) FROM auth_user").fetchone() or (0,)
        begun_at = time.perf_counter()
        connected.execute(BULK, [owner, rows])
        return rows / (time.perf_counter() - begun_at)


BENCHMARK = Benchmark("writers", "What does the trigger cost those who capture?", run, quick_rounds=2)

"""`manage.py enrich_listener` as its operator starts it, against a model that is played."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from benchmarks.contenders.all import LITEVAULT
from benchmarks.running import LOG, fresh_keys, open_log, until, until_done
from benchmarks.scratch import PROJECT
from postgres.embedded.processes import dying_with_parent

STARTS = """
SELECT extract(epoch FROM started_at)::float FROM enrichment_attempts
WHERE outcome = 'SUCCEEDED' AND item_id IN (SELECT id FROM items WHERE raw_text = ANY(%s)) ORDER BY started_at
"""

# Their last statement is the probe.
LISTENING = """
SELECT count(*) FROM pg_stat_activity
WHERE starts_with(application_name, %s) AND datname = current_database()
  AND query LIKE 'SELECT pg_notify%%' AND state = 'idle'
"""
LISTENER_NAME = "litevault-listener"


def model_settings(address: str) -> dict[str, str]:
    return {
        "LITEVAULT_LLM_PROVIDER": "litellm",
        "LITEVAULT_LLM_API_BASE": address,
        "LITEVAULT_LLM_MODE": "tools",
        "OPENAI_API_KEY": "none",
    }


def enrich_by_command(url: str, address: str, *, number: int, concurrency: int, processes: int) -> list[float]:
    """Have so many items enriched, and return when each was begun, in order."""
    keys = fresh_keys(number)
    options = ("--concurrency", str(concurrency), "--processes", str(processes))
    with (
        listening(url, *options, count=processes, settings=model_settings(address)),
        LITEVAULT.capturing(url) as capturer,
    ):
        capturer.many(keys)
        until_done(LITEVAULT, url)
    with psycopg.connect(url) as connected:
        starts = [moment for (moment,) in connected.execute(STARTS, [keys])]
    assert len(starts) == number
    return starts


@contextmanager
def listening(
    url: str, *options: str, settings: Mapping[str, str], count: int = 1
) -> Iterator[subprocess.Popen[bytes]]:
    """The command during the block, which begins when all of its processes listen."""
    with open_log() as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "enrich_listener", *options],
            cwd=PROJECT,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
    try:
        until(lambda: listeners(url) == count or process.poll() is not None)
        assert process.poll() is None, f"The listener has ended by itself: see {LOG}."
        yield process
    finally:
        process.terminate()
        process.wait()


def listeners(url: str) -> int:
    """How many have registered, and have heard themselves."""
    with psycopg.connect(url) as connected:
        (count,) = connected.execute(LISTENING, [LISTENER_NAME]).fetchone() or (0,)
    return int(count)

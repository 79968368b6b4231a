"""How many items a second, when the work itself takes no time: preloaded, in one burst, and trickling in."""

import time

import psycopg

from benchmarks.bare_writes import write_bare
from benchmarks.benchmark import Benchmark, Run
from benchmarks.contenders.all import LITEVAULT, LOGGING_LITEVAULT, PEERS, TUNED_PGQUEUER
from benchmarks.contenders.base import Contender
from benchmarks.running import Worker, fresh_keys, until, until_done, warm_up, working

CONTENDERS = (LITEVAULT, LOGGING_LITEVAULT, *PEERS, TUNED_PGQUEUER)
CONCURRENCY = 100
TRICKLE_PER_SECOND = 50
MOST_SECONDS = 10


def run(asked: Run) -> None:
    for contender in (LITEVAULT, *PEERS):
        contender.install(asked.url)
    for contender in CONTENDERS:
        asked.report.settings[contender.name] = f"{contender.settings}; concurrency {CONCURRENCY}"
    for _ in range(asked.rounds):
        for contender in CONTENDERS:
            with working(contender, concurrency=CONCURRENCY) as worker:
                warm_up(contender, worker, asked.url)
                trickle(asked, contender, worker)
                burst(asked, contender, worker)
            contender.forget(asked.url)
        for contender in CONTENDERS:
            preloaded(asked, contender)
        asked.report.add(
            "preloaded",
            "bare SQL, in batches of 100",
            write_bare(asked.url, asked.size(5_000, 10_000)),
            unit="items/s",
            better="higher",
        )


def preloaded(asked: Run, contender: Contender) -> None:
    """From the first start to the last result written: how long the process takes to start is not counted."""
    keys = fresh_keys(asked.size(3_000, 10_000))
    with contender.capturing(asked.url) as capturer:
        capturer.many(keys)
    with working(contender, concurrency=CONCURRENCY) as worker:
        until(lambda: worker.started_at)
        used_before = worker.processor_seconds()
        worker.until_done(contender, asked.url, most_seconds=MOST_SECONDS)
        seconds = time.perf_counter() - min(worker.started_at.values())
        used = worker.processor_seconds() - used_before
        count = len(worker.started_at)
    assert not worker.repeated
    contender.forget(asked.url)
    asked.report.add("preloaded", contender.name, count / seconds, unit="items/s", better="higher")
    asked.report.add("processor time of the worker", contender.name, used / count * 1000, unit="ms/item")


def burst(asked: Run, contender: Contender, worker: Worker) -> None:
    keys = fresh_keys(asked.size(2_000, 5_000))
    worker.started_at.clear()
    with psycopg.connect(asked.url, autocommit=True) as listening, contender.capturing(asked.url) as capturer:
        listening.execute("LISTEN items_enriching")
        capturer.many(keys)
        committed_at = time.perf_counter()
        is_done = worker.until_done(contender, asked.url, most_seconds=MOST_SECONDS)
        seconds = time.perf_counter() - committed_at
        rings = len(list(listening.notifies(timeout=0.1)))
    count = len(worker.started_at)
    asked.report.add(
        f"burst of {len(keys)} in one transaction", contender.name, count / seconds, unit="items/s", better="higher"
    )
    if contender is LITEVAULT:
        assert is_done
        asked.report.add("burst done after", contender.name, seconds, unit="s")
        asked.report.add("notifications of a burst", contender.name, rings, unit="")
    elif not is_done:
        asked.report.remark(
            f"{contender.name} had not done the burst after {MOST_SECONDS} s; its rate is that of what it did."
        )


def trickle(asked: Run, contender: Contender, worker: Worker) -> None:
    """A steady stream, on the clock and not after each answer, so that a slow one does not slow the stream down."""
    committed_at = {}
    with contender.capturing(asked.url) as capturer:
        begun_at = time.perf_counter()
        for number, key in enumerate(fresh_keys(asked.size(150, 2_000))):
            time.sleep(max(0.0, begun_at + number / TRICKLE_PER_SECOND - time.perf_counter()))
            capturer.one(key)
            committed_at[key] = time.perf_counter()
    worker.until_started(committed_at)
    until_done(contender, asked.url)
    lags = [(worker.started_at[key] - moment) * 1000 for key, moment in committed_at.items()]
    asked.report.add_latencies(f"lag at {TRICKLE_PER_SECOND} captures/s", contender.name, lags)


BENCHMARK = Benchmark("throughput", "How many items a second, when the work takes no time?", run, quick_rounds=2)

"""From the commit of a capture to the start of work on it, by a worker that has nothing else to do."""

import random
import time
from collections.abc import Sequence

from benchmarks.benchmark import Benchmark, Run
from benchmarks.contenders.all import BARE_CLAIM, DOORBELL, LITEVAULT, PEERS
from benchmarks.contenders.base import Capturer, Contender
from benchmarks.running import Worker, fresh_keys, warm_up, working

CONTENDERS = (LITEVAULT, *PEERS, BARE_CLAIM, DOORBELL)
CONCURRENCY = 50
LONGEST_GAP_SECONDS = 0.015
LATE_MILLISECONDS = 250
# One that is late is waited for, so that the next capture does not wake the worker on its behalf.
PATIENCE_SECONDS = 30


def run(asked: Run) -> None:
    for contender in CONTENDERS:
        contender.install(asked.url)
        asked.report.settings[contender.name] = contender.settings
    for _ in range(asked.rounds):
        for contender in CONTENDERS:
            measure(asked, contender)


def measure(asked: Run, contender: Contender) -> None:
    report = asked.report
    with working(contender, concurrency=CONCURRENCY) as worker, contender.capturing(asked.url) as capturer:
        warm_up(contender, worker, asked.url)
        alone = one_at_a_time(capturer, worker, asked.size(100, 500))
        pairs = in_pairs(capturer, worker, asked.size(100, 1500))
    contender.forget(asked.url)
    report.add_latencies("one at a time", contender.name, alone)
    report.add_latencies("in pairs, 0 to 15 ms apart", contender.name, pairs)
    late = sum(latency > LATE_MILLISECONDS for latency in (*alone, *pairs))
    report.add(f"later than {LATE_MILLISECONDS} ms", contender.name, late, unit=f"of {len(alone) + len(pairs)}")


def one_at_a_time(capturer: Capturer, worker: Worker, number: int) -> list[float]:
    return [latency for _ in range(number) for latency in captured(capturer, worker, gaps=(0.0,))]


def in_pairs(capturer: Capturer, worker: Worker, number: int) -> list[float]:
    gaps = [(0.0, random.uniform(0, LONGEST_GAP_SECONDS)) for _ in range(number)]
    return [latency for pair in gaps for latency in captured(capturer, worker, gaps=pair)]


def captured(capturer: Capturer, worker: Worker, *, gaps: Sequence[float]) -> list[float]:
    """Capture one after each gap; the milliseconds from each commit to its start."""
    committed_at = {}
    for key, gap in zip(fresh_keys(len(gaps)), gaps, strict=True):
        time.sleep(gap)
        capturer.one(key)
        committed_at[key] = time.perf_counter()
    worker.until_started(committed_at, seconds=PATIENCE_SECONDS)
    time.sleep(random.uniform(0.01, 0.03))  # until it is idle again, and never in step with a timer of its own
    return [(worker.started_at[key] - moment) * 1000 for key, moment in committed_at.items()]


BENCHMARK = Benchmark("dispatch", "How long does a capture wait before somebody works on it?", run, quick_rounds=2)

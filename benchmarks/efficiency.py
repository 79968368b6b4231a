"""How much of the model's own pace is kept: starts per second ÷ (concurrency ÷ latency), and what a call costs.

All calls take the same time, so that slots fall free in the same instant: no other load is as hard on a worker.
"""

from collections.abc import Sequence

from benchmarks.benchmark import Benchmark, Run
from benchmarks.contenders.all import LITEVAULT, PEERS
from benchmarks.contenders.base import Contender
from benchmarks.listeners import enrich_by_command
from benchmarks.model import LATENCY_SECONDS, serving
from benchmarks.running import fresh_keys, working

# How many at a time, in how many processes.
QUICK_CALLS = ((3, 1), (50, 1), (200, 1), (200, 2))
FULL_CALLS = ((3, 1), (50, 1), (50, 2), (200, 1), (200, 2), (200, 4))
WAVES_QUICK, WAVES_FULL = 5, 20
# So many times as long as it would ideally take. The rate of what was begun by then counts.
PATIENCE = 3


def run(asked: Run) -> None:
    for contender in (LITEVAULT, *PEERS):
        contender.install(asked.url)
        asked.report.settings[contender.name] = contender.settings
    for _ in range(asked.rounds):
        for concurrency in (3, 50, 200, 1000):
            for contender in (LITEVAULT, *PEERS):
                sleeping(asked, contender, concurrency)
        with serving(LATENCY_SECONDS) as address:
            for concurrency, processes in FULL_CALLS if asked.is_full else QUICK_CALLS:
                calling(asked, address, concurrency=concurrency, processes=processes)


def sleeping(asked: Run, contender: Contender, concurrency: int) -> None:
    """The work is a sleep: only the queue can be slow."""
    keys = fresh_keys(concurrency * asked.size(WAVES_QUICK, WAVES_FULL))
    with contender.capturing(asked.url) as capturer:
        capturer.many(keys)
    with working(contender, concurrency=concurrency, seconds=LATENCY_SECONDS) as worker:
        worker.until_done(
            contender, asked.url, most_seconds=asked.size(WAVES_QUICK, WAVES_FULL) * LATENCY_SECONDS * PATIENCE
        )
        starts = sorted(worker.started_at.values())
    assert not worker.repeated
    contender.forget(asked.url)
    kept = efficiency(starts, concurrency)
    asked.report.add(f"null provider, {concurrency} at a time", contender.name, kept, unit="of 1", better="higher")


def calling(asked: Run, address: str, *, concurrency: int, processes: int) -> None:
    """The command itself, with LiteLLM and Instructor, over HTTP to a server that takes its time."""
    number = concurrency * asked.size(WAVES_QUICK, WAVES_FULL)
    starts = enrich_by_command(
        asked.url, address, number=number, concurrency=concurrency // processes, processes=processes
    )
    kept = efficiency(starts, concurrency // processes * processes)
    name = f"LiteVault, {processes} process{'es' if processes > 1 else ''}"
    measure = f"through LiteLLM and Instructor, {concurrency} at a time"
    asked.report.add(measure, name, kept, unit="of 1", better="")


def efficiency(starts: Sequence[float], concurrency: int) -> float:
    """From the first start to the last, all of the slots turn over as often as there are waves after the first."""
    waves = max(0.0, len(starts) / concurrency - 1)
    return waves * LATENCY_SECONDS / (starts[-1] - starts[0])


BENCHMARK = Benchmark("efficiency", "How much of the model's own pace is kept?", run)

"""What one call to a model costs in processor time, library by library, with nobody waiting for anything."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.benchmark import Benchmark, Run
from benchmarks.listeners import model_settings
from benchmarks.model import serving
from benchmarks.scratch import PROJECT

Call = Callable[[], Awaitable[Any]]
CONCURRENCY = 20
TEXT = "The lighthouse keeper repaired the lamp. Ships could see the harbour again that night. " * 5


def run(asked: Run) -> None:
    """In a process of its own, whose processor time holds nothing else."""
    number = asked.size(200, 1000)
    with serving(0) as address:
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.calls", str(asked.rounds), str(number)],
            cwd=PROJECT,
            env=os.environ | model_settings(address),
            stdout=subprocess.PIPE,
            check=True,
        )
    for name, samples in json.loads(finished.stdout.splitlines()[-1]).items():
        for sample in samples:
            asked.report.add("processor time per call", name, sample, unit="ms")
    asked.report.settings["concurrency"] = str(CONCURRENCY)


async def measure(rounds: int, number: int) -> dict[str, list[float]]:
    from benchmarks.libraries import calls  # seconds of imports, for this process only

    samples: dict[str, list[float]] = {}
    async with calls(os.environ["LITEVAULT_LLM_API_BASE"], TEXT) as callers:
        for call in callers.values():
            await cost(call, CONCURRENCY)  # connections and caches
        for _ in range(rounds):
            for name, call in callers.items():
                samples.setdefault(name, []).append(await cost(call, number))
    return samples


async def cost(call: Call, number: int) -> float:
    """Milliseconds of processor time for each call, with so many under way at a time."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one() -> None:
        async with slots:
            await call()

    begun = time.process_time()
    await asyncio.gather(*(one() for _ in range(number)))
    return (time.process_time() - begun) / number * 1000


BENCHMARK = Benchmark(
    "calls", "What does one call to a model cost in processor time, library by library?", run, quick_rounds=3
)

if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2])))))

"""Memory of each kind of process, how long each takes to start, and whether memory grows with what was done."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]  # it carries no types

from benchmarks.benchmark import Benchmark, Run
from benchmarks.contenders.all import LITEVAULT
from benchmarks.listeners import listening, model_settings
from benchmarks.model import serving
from benchmarks.running import fresh_keys, until_done
from benchmarks.web import web_server

STUB = {"LITEVAULT_LLM_PROVIDER": "stub"}


def run(asked: Run) -> None:
    LITEVAULT.install(asked.url)
    with serving(0) as address:
        for _ in range(asked.rounds):
            for name, settings in (("stub worker", STUB), ("LiteLLM worker", model_settings(address))):
                with listener(asked, name, settings) as process:
                    asked.report.add(f"{name}, memory", "LiteVault", resident(process), unit="MB")
            for workers in (1, 2):
                with web_server(workers=workers) as (server, _, seconds):
                    name = f"web server, {workers} worker{'s' if workers > 1 else ''}"
                    asked.report.add(f"{name}, memory", "LiteVault", resident(server), unit="MB")
                    asked.report.add(f"{name}, start", "LiteVault", seconds, unit="s")
    with listener(asked, "stub worker", STUB) as process:
        grow(asked, process)


def grow(asked: Run, process: subprocess.Popen[bytes]) -> None:
    warm, number = asked.size(1_000, 2_000), asked.size(5_000, 20_000)
    enrich(asked.url, warm)
    before = resident(process)
    enrich(asked.url, number)
    name = f"stub worker, memory after {number:,} items against after {warm:,}"
    asked.report.add(name, "LiteVault", resident(process) / before, unit="times")


def enrich(url: str, number: int) -> None:
    with LITEVAULT.capturing(url) as capturer:
        capturer.many(fresh_keys(number))
    until_done(LITEVAULT, url)


@contextmanager
def listener(asked: Run, name: str, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Measured when it has enriched a few: what it needs for that is loaded by then."""
    begun_at = time.perf_counter()
    with listening(asked.url, settings=settings) as process:
        asked.report.add(f"{name}, start", "LiteVault", time.perf_counter() - begun_at, unit="s")
        enrich(asked.url, 20)
        yield process


def resident(process: subprocess.Popen[bytes]) -> float:
    """Of the whole family, in MB. What its processes share counts once for each of them."""
    parent = psutil.Process(process.pid)
    return float(sum(member.memory_info().rss for member in (parent, *parent.children(recursive=True)))) / 1e6


BENCHMARK = Benchmark("footprint", "How much memory, how long to start, and does it grow?", run)

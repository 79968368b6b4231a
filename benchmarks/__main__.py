"""`make bench`: LiteVault beside its peers and beside what the machine can do, in the same run on the same server."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.benchmark import Benchmark, Run
from benchmarks.catalogue import BENCHMARKS
from benchmarks.figures import Report
from benchmarks.machine import machine
from benchmarks.plots import draw
from benchmarks.scratch import PROJECT, scratch_database, server
from benchmarks.tables import markdown, print_report

INTERRUPTED = 130
FULL_ROUNDS = 5


def main() -> None:
    arguments = parse(sys.argv[1:])
    arguments.out.mkdir(parents=True, exist_ok=True)
    with server() as url:
        described = machine(url)
        print("\n".join(f"{name:<20} {value}" for name, value in described.items()))
        for name in arguments.names or BENCHMARKS:
            begun_at = time.monotonic()
            report = Report(name, machine=described)
            measure(BENCHMARKS[name], url, report, arguments)
            print_report(report)
            print(f"· {time.monotonic() - begun_at:.0f} s")


def measure(benchmark: Benchmark, url: str, report: Report, arguments: argparse.Namespace) -> None:
    rounds = arguments.rounds or (FULL_ROUNDS if arguments.full else benchmark.quick_rounds)
    try:
        with scratch_database(url) as database:
            benchmark.run(Run(database, report, is_full=arguments.full, rounds=rounds))
    finally:
        # Hours of measuring are not lost to what happens at the end of them.
        report.save(arguments.out)
    (arguments.out / f"{report.name}.md").write_text(markdown(report))
    draw(report, arguments.out)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<11} {benchmark.asks}" for name, benchmark in BENCHMARKS.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (all): see below")
    parser.add_argument("--full", action="store_true", help="large sizes and more rounds: for figures to be quoted")
    parser.add_argument("--rounds", type=int, help="how often each is measured (1 to 3, with --full 5)")
    parser.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "var" / "bench",
        metavar="DIR",
        help="where JSON, Markdown and plots go (%(default)s)",
    )
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark called {', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}")
    return arguments


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)

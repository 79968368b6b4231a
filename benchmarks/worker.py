"""The worker's side of a contender, in a process of its own: says on standard output what started when.

A line is a key and the moment on the monotonic clock, which all processes of a machine share.
"""

import argparse
import asyncio
import os
import signal
import time

from benchmarks.contenders.all import BY_NAME

STDOUT = 1


class Starts:
    """Writes once for each turn of the loop, so that saying it costs next to nothing."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def __call__(self, key: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(f"{key} {time.perf_counter()}\n")

    def _flush(self) -> None:
        text, self._lines = "".join(self._lines).encode(), []
        while text:
            text = text[os.write(STDOUT, text) :]


async def work(arguments: argparse.Namespace) -> None:
    contender = BY_NAME[arguments.contender]
    url = os.environ["DATABASE_URL"]
    await contender.work(url, concurrency=arguments.concurrency, seconds=arguments.seconds, started=Starts())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=BY_NAME)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()

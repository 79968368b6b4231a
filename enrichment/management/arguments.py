"""What a listener is told on its command line."""

import argparse
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandParser

from enrichment.config import LLMSettings
from enrichment.management.metrics_server import LOOPBACK, ip_address

WORKER_ID_MAX_LENGTH = 64
LAST_PORT = 65535


def add_work(parser: CommandParser) -> None:
    """How much is done at a time, and under what name."""
    llm: LLMSettings = settings.LLM
    parser.add_argument(
        "--concurrency",
        type=whole_number(1, 1000),
        default=llm.concurrency,
        metavar="N",
        help="How many items each process enriches at the same time, 1 to 1000 "
        "(LITEVAULT_LLM_CONCURRENCY, now %(default)s).",
    )
    parser.add_argument(
        "--processes",
        type=whole_number(1, 100),
        default=1,
        metavar="N",
        help="How many listeners to run, 1 to 100 (1). More than one are children of this process: one that dies "
        "is replaced, each signal is passed on to all, and none outlives this process.",
    )
    parser.add_argument(
        "--worker-id",
        type=worker_id,
        metavar="NAME",
        help="The name that attempts are recorded under, up to 64 characters (default: host:pid). "
        "With --processes, NAME.1, NAME.2 and so on.",
    )


def add_ends(parser: CommandParser) -> None:
    """When to stop without a signal."""
    parser.add_argument("--drain", action="store_true", help="Enrich what is due, then exit. For tests and for cron.")
    parser.add_argument("--max-items", type=whole_number(1, 10**9), metavar="N", help="Exit after this many attempts.")
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="Also stop, as at the first signal, when standard input ends. This ties the children to --processes.",
    )


def add_metrics(parser: CommandParser) -> None:
    """Where to say how it goes."""
    parser.add_argument(
        "--metrics-port",
        type=whole_number(0, LAST_PORT),
        default=0,
        metavar="PORT",
        help="Serve /metrics, /healthz and /readyz of this process there (0: do not). "
        "With --processes, PORT for the first, PORT + 1 for the second and so on.",
    )
    parser.add_argument(
        "--metrics-address",
        type=ip_address,
        default=LOOPBACK,
        metavar="ADDRESS",
        help="The IP address to serve them at (%(default)s). Nobody is asked for a login there.",
    )


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argument type that names its range when it is missed."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")

    return parse


def worker_id(text: str) -> str:
    if 1 <= len(text) <= WORKER_ID_MAX_LENGTH and text.isprintable():
        return text
    raise argparse.ArgumentTypeError(f"must be 1 to {WORKER_ID_MAX_LENGTH} printable characters")

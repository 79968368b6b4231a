"""The command line options of enrich_listener."""

import argparse

from django.conf import settings
from django.core.management.base import CommandParser

from enrichment.config import LLMSettings
from enrichment.management.metrics_server import LOOPBACK, ip_address
from items.management.arguments import whole_number

WORKER_ID_MAX_LENGTH = 64
LAST_PORT = 65535


def add_worker_options(parser: CommandParser) -> None:
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
        help="How many listeners to run, 1 to 100 (1). More than one run as children of this process, which replaces "
        "one that dies and passes signals on. None outlives it.",
    )
    parser.add_argument(
        "--worker-id",
        type=worker_id,
        metavar="NAME",
        help="The name that attempts are recorded under, up to 64 characters (default: host:pid). "
        "With --processes, NAME.1, NAME.2 and so on.",
    )


def add_stop_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--drain",
        action="store_true",
        help="Enrich the due items, then exit. While the provider is down or the budget is spent, leave them for the "
        "next run. For tests and for cron.",
    )
    parser.add_argument("--max-items", type=whole_number(1, 10**9), metavar="N", help="Exit after this many attempts.")
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="Stop, as at the first signal, when standard input ends. The children of --processes use this.",
    )


def add_metrics_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--metrics-port",
        type=whole_number(0, LAST_PORT),
        default=0,
        metavar="PORT",
        help="Serve /metrics, /healthz and /readyz of this process on this port (0: do not). "
        "With --processes, PORT for the first, PORT + 1 for the second and so on.",
    )
    parser.add_argument(
        "--metrics-address",
        type=ip_address,
        default=LOOPBACK,
        metavar="ADDRESS",
        help="The IP address to serve them on (%(default)s). They need no login.",
    )


def worker_id(text: str) -> str:
    if 1 <= len(text) <= WORKER_ID_MAX_LENGTH and text.isprintable():
        return text
    raise argparse.ArgumentTypeError(f"must be 1 to {WORKER_ID_MAX_LENGTH} printable characters")

"""The worker process: listens, claims, enriches, until it is told to stop."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.listener import Listener, listen_conninfo
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from enrichment.worker import EnrichmentWorker

logger = structlog.get_logger(__name__)

WORKER_ID_MAX_LENGTH = 64
EXIT_CRASHED = 1
EXIT_HARD = 70
# The provider keeps its own deadline; this is for one that does not.
DEADLINE_MARGIN_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Enrich captured items: wait for the database's notifications, ask the model, write the results. "
        "Start as many as you like, on any machine. "
        "The first SIGTERM or SIGINT finishes what is in flight (LITEVAULT_ENRICH_GRACE_SECONDS), "
        "the second gives it back at once, the third ends the process as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        llm: LLMSettings = settings.LLM
        parser.add_argument(
            "--concurrency",
            type=whole_number(1, 1000),
            default=llm.concurrency,
            metavar="N",
            help="How many items to enrich at the same time, 1 to 1000 (LITEVAULT_LLM_CONCURRENCY, now %(default)s).",
        )
        parser.add_argument(
            "--worker-id",
            type=worker_id,
            default=f"{socket.gethostname()[:40]}:{os.getpid()}",
            metavar="NAME",
            help="The name that attempts are recorded under, up to 64 characters (default: host:pid).",
        )
        parser.add_argument(
            "--drain", action="store_true", help="Enrich what is due, then exit. For tests and for cron."
        )
        parser.add_argument(
            "--max-items", type=whole_number(1, 10**9), metavar="N", help="Exit after this many attempts."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        llm: LLMSettings = settings.LLM
        try:
            provider = build_provider(llm)
        except InvalidSettings as error:
            raise CommandError(str(error)) from None
        worker = EnrichmentWorker(
            provider,
            worker_id=options["worker_id"],
            concurrency=options["concurrency"],
            deadline_seconds=llm.deadline_seconds + DEADLINE_MARGIN_SECONDS,
            settings=settings.ENRICH,
            exits_when_idle=options["drain"],
            max_items=options["max_items"],
        )
        logger.info(
            "worker.started", worker=options["worker_id"], provider=llm.provider, concurrency=options["concurrency"]
        )
        try:
            asyncio.run(work_and_listen(worker, provider))
        except Exception:
            # The log leaves out what the driver says: it may quote a row.
            logger.exception("worker.crashed", worker=options["worker_id"])
            sys.exit(EXIT_CRASHED)
        logger.info("worker.stopped", worker=options["worker_id"])


async def work_and_listen(worker: EnrichmentWorker, provider: EnrichmentProvider) -> None:
    """Join the two, which do not know each other, until the worker has stopped."""
    listener = Listener(
        listen_conninfo(), on_wake=worker.wake, on_cancel=worker.cancel, on_health=worker.notifications_work
    )
    heed_signals(worker)
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listener.run())
            await worker.run()
            listener.stop()
            listening.cancel()
    finally:
        await provider.close()


def heed_signals(worker: EnrichmentWorker) -> None:
    """First drain, then release, then leave."""
    steps: Iterator[Callable[[], None]] = iter((worker.drain, worker.release))

    def on_signal() -> None:
        next(steps, leave_at_once)()

    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, on_signal)


def leave_at_once() -> None:
    os._exit(EXIT_HARD)


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

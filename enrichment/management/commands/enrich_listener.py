"""The worker process: listens, claims, enriches, until it is told to stop."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enrichment import metrics
from enrichment.config import InvalidSettings, LLMSettings
from enrichment.management.arguments import LAST_PORT, WORKER_ID_MAX_LENGTH, add_ends, add_metrics, add_work
from enrichment.management.metrics_server import Exposition, exposed
from enrichment.management.supervisor import EXIT_HARD, EXIT_MISCONFIGURED, STOP_SIGNALS, Program, Supervisor
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from enrichment.worker import EnrichmentWorker
from items.queue import WORKER_CHANNELS, listener_name
from postgres.conninfo import listen_conninfo
from postgres.listener import Listener

logger = structlog.get_logger(__name__)

EXIT_CRASHED = 1
# The provider keeps its own deadline; this is for one that does not.
DEADLINE_MARGIN_SECONDS = 5.0


class Command(BaseCommand):
    # They would import the whole web side: 18 MB that a worker never uses.
    requires_system_checks: list[str] = []  # noqa: RUF012  # as its base declares it
    help = (
        "Enrich captured items: wait for the database's notifications, ask the model, write the results. "
        "Start as many as you like, on any machine, or several at once with --processes. "
        "The first SIGTERM, SIGINT or SIGHUP finishes what is in flight (LITEVAULT_ENRICH_GRACE_SECONDS), "
        "the second gives it back at once (exit code 0), the third ends the process as it is (70)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_work(parser)
        add_ends(parser)
        add_metrics(parser)

    def handle(self, *_args: Any, processes: int, **options: Any) -> None:
        if processes > 1:
            self.run_several(processes, **options)
        else:
            self.run_one(**options)

    def run_several(
        self,
        processes: int,
        *,
        worker_id: str | None,
        drain: bool,
        max_items: int | None,
        metrics_port: int,
        **_options: Any,
    ) -> None:
        if max_items:
            raise CommandError("--max-items is for one process: leave out --processes.")
        if worker_id and len(f"{worker_id}.{processes}") > WORKER_ID_MAX_LENGTH:
            raise CommandError(f"--worker-id is too long: with .{processes} it passes {WORKER_ID_MAX_LENGTH}.")
        if metrics_port and metrics_port + processes - 1 > LAST_PORT:
            raise CommandError(f"--metrics-port is too high: {processes} processes need the ports from there on.")
        programs = [child(number, worker_id, metrics_port) for number in range(1, processes + 1)]
        with Supervisor(programs) as supervisor:
            sys.exit(supervisor.keep_running(exits_when_idle=drain))

    def run_one(
        self,
        *,
        worker_id: str | None,
        concurrency: int,
        drain: bool,
        max_items: int | None,
        metrics_port: int,
        metrics_address: str,
        stop_with_stdin: bool,
        **_options: Any,
    ) -> None:
        llm: LLMSettings = settings.LLM
        try:
            provider = build_provider(llm)
        except InvalidSettings as error:
            raise CommandError(str(error), returncode=EXIT_MISCONFIGURED) from None
        name = worker_id or f"{socket.gethostname()[:40]}:{os.getpid()}"
        worker = EnrichmentWorker(
            provider,
            worker_id=name,
            concurrency=concurrency,
            deadline_seconds=llm.deadline_seconds + DEADLINE_MARGIN_SECONDS,
            settings=settings.ENRICH,
            exits_when_idle=drain,
            max_items=max_items,
        )
        metrics.slots.set(concurrency)
        exposition = exposed(metrics_address, metrics_port) if metrics_port else None
        logger.info("worker.started", worker=name, provider=llm.provider, concurrency=concurrency)
        try:
            asyncio.run(work_and_listen(worker, provider, exposition, name=name, stop_with_stdin=stop_with_stdin))
        except Exception:
            # The log leaves out what the driver says: it may quote a row.
            logger.exception("worker.crashed", worker=name)
            sys.exit(EXIT_CRASHED)
        logger.info("worker.stopped", worker=name)


def child(number: int, name: str | None, metrics_port: int) -> Program:
    """Return this command with its own options. Where an option is repeated, the last one counts."""
    own_name = ["--worker-id", f"{name}.{number}"] if name else []
    own_port = ["--metrics-port", str(metrics_port + number - 1)] if metrics_port else []
    command = [sys.executable, *sys.orig_argv[1:], "--processes", "1", "--stop-with-stdin", *own_name, *own_port]
    return Program(name=f"listener {number}", command=command)


async def work_and_listen(
    worker: EnrichmentWorker,
    provider: EnrichmentProvider,
    exposition: Exposition | None = None,
    *,
    name: str,
    stop_with_stdin: bool = False,
) -> None:
    """Join the two, which do not know each other, until the worker has stopped."""
    listener = Listener(
        listen_conninfo(),
        channels=WORKER_CHANNELS,
        name=listener_name(name),
        on_notification=worker.on_notification,
        on_health=worker.on_health,
    )
    heed_signals(worker)
    if stop_with_stdin:
        heed_end_of_input(worker)
    try:
        with exposition.serving() if exposition else nullcontext():
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(listener.run())
                await worker.run()
                listening.cancel()
    finally:
        await provider.close()


def heed_signals(worker: EnrichmentWorker) -> None:
    """First drain, then release, then leave."""
    steps: Iterator[Callable[[], None]] = iter((worker.drain, worker.release))

    def on_signal() -> None:
        next(steps, leave_at_once)()

    loop = asyncio.get_running_loop()
    for sign in STOP_SIGNALS:
        loop.add_signal_handler(sign, on_signal)


def heed_end_of_input(worker: EnrichmentWorker) -> None:
    """Drain when nobody holds the other end of standard input any more."""
    loop = asyncio.get_running_loop()
    stdin = sys.stdin.fileno()

    def on_input() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            worker.drain()

    loop.add_reader(stdin, on_input)


def leave_at_once() -> None:
    os._exit(EXIT_HARD)

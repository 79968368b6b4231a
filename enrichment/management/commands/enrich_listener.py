"""The worker process: a listener and a worker, until a stop signal."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from enrichment import metrics
from enrichment.config import InvalidSettings, LLMSettings
from enrichment.enricher import DEADLINE_MARGIN_SECONDS
from enrichment.management.arguments import (
    LAST_PORT,
    WORKER_ID_MAX_LENGTH,
    add_metrics_options,
    add_stop_options,
    add_worker_options,
)
from enrichment.management.metrics_server import bind_metrics_server, serving
from enrichment.management.supervisor import EXIT_HARD, EXIT_MISCONFIGURED, STOP_SIGNALS, Program, Supervisor
from enrichment.prompts import MAX_CHARACTERS_PER_TOKEN
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.conversation import MAX_WAIT_SECONDS
from enrichment.providers.factory import build_provider
from enrichment.watchdog import Watchdog
from enrichment.worker import EnrichmentWorker
from items.management.command import ProjectCommand
from items.queue import WORKER_CHANNELS, listener_name
from postgres.conninfo import listen_conninfo
from postgres.listener import Listener
from postgres.metrics_server import MetricsServer

logger = structlog.get_logger(__name__)

EXIT_CRASHED = 1


class Command(ProjectCommand):
    # The checks import the web side: 18 MB that a worker never uses.
    requires_system_checks = ()
    help = (
        "Enrich captured items: wait for notifications of the database, call the model, write the results. "
        "Start as many as you like, on any machine, or several at once with --processes. "
        "The first SIGTERM, SIGINT or SIGHUP finishes the items in flight (LITEVAULT_ENRICH_GRACE_SECONDS), "
        "the second releases them at once, the third ends the process immediately. What it does is logged to standard "
        "error, as JSON lines with LITEVAULT_LOG_FORMAT=json, and with -v 0 only warnings and errors."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {
            0: "stopped by a signal, or done with --drain or --max-items",
            EXIT_CRASHED: "an error, which the log or a sentence on standard error describes",
            EXIT_HARD: "ended immediately by the third signal",
            EXIT_MISCONFIGURED: "a setting of the model is missing or wrong",
            130: "interrupted by Ctrl-C before it had started",
        }
    )
    has_json = False  # it has a log, and no result

    def add_arguments(self, parser: CommandParser) -> None:
        add_worker_options(parser)
        add_stop_options(parser)
        add_metrics_options(parser)

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
            max_wait_seconds = MAX_WAIT_SECONDS * len(llm.model_list)  # first: importing litellm takes seconds
            provider = build_provider(llm)
            deadline_seconds = llm.deadline_seconds + max_wait_seconds + DEADLINE_MARGIN_SECONDS
        except InvalidSettings as error:
            raise CommandError(str(error), returncode=EXIT_MISCONFIGURED) from None
        name = worker_id or f"{socket.gethostname()[:40]}:{os.getpid()}"
        worker = EnrichmentWorker(
            provider,
            worker_id=name,
            concurrency=concurrency,
            deadline_seconds=deadline_seconds,
            settings=settings.ENRICH,
            text_length=llm.max_input_tokens * MAX_CHARACTERS_PER_TOKEN,
            daily_budget_usd=llm.daily_budget_usd,
            daily_budget_per_owner_usd=llm.daily_budget_per_owner_usd,
            exits_when_idle=drain,
            max_items=max_items,
        )
        metrics.slots.set(concurrency)
        metrics.rate_limits.follow(provider)
        metrics_server = bind_metrics_server(metrics_address, metrics_port) if metrics_port else None
        logger.info("worker.started", worker=name, provider=llm.provider, concurrency=concurrency)
        try:
            asyncio.run(run_with_listener(worker, provider, metrics_server, name=name, stop_with_stdin=stop_with_stdin))
        except Exception:
            # The log has no message of the driver's, which may quote a row.
            logger.exception("worker.crashed", worker=name)
            sys.exit(EXIT_CRASHED)
        logger.info("worker.stopped", worker=name, requests=provider.requests)


def child(number: int, name: str | None, metrics_port: int) -> Program:
    """Return this command with its own options. Where an option is repeated, the last one counts."""
    own_name = ["--worker-id", f"{name}.{number}"] if name else []
    own_port = ["--metrics-port", str(metrics_port + number - 1)] if metrics_port else []
    command = [sys.executable, *sys.orig_argv[1:], "--processes", "1", "--stop-with-stdin", *own_name, *own_port]
    return Program(name=f"listener {number}", command=command)


async def run_with_listener(
    worker: EnrichmentWorker,
    provider: EnrichmentProvider,
    metrics_server: MetricsServer | None = None,
    *,
    name: str,
    stop_with_stdin: bool = False,
) -> None:
    """Run both until the worker has stopped."""
    listener = Listener(
        listen_conninfo(),
        channels=WORKER_CHANNELS,
        name=listener_name(name),
        on_notification=worker.on_notification,
        on_health=worker.on_health,
    )
    handle_signals(worker)
    if stop_with_stdin:
        drain_at_end_of_input(worker)
    # All that is loaded now stays. A full collection that includes it stops the loop for 0.07 s.
    gc.collect()
    gc.freeze()
    try:
        with serving(metrics_server) if metrics_server else nullcontext():
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(listener.run())
                watching = group.create_task(Watchdog().run())
                await worker.run()
                listening.cancel()
                watching.cancel()
    finally:
        await provider.close()


def handle_signals(worker: EnrichmentWorker) -> None:
    """Drain at the first signal, release at the second, exit at the third."""
    steps: Iterator[Callable[[], None]] = iter((worker.drain, worker.release))

    def on_signal() -> None:
        next(steps, exit_at_once)()

    loop = asyncio.get_running_loop()
    for sign in STOP_SIGNALS:
        loop.add_signal_handler(sign, on_signal)


def drain_at_end_of_input(worker: EnrichmentWorker) -> None:
    """Drain when standard input ends, as it does with the parent process."""
    loop = asyncio.get_running_loop()
    stdin = sys.stdin.fileno()

    def on_input() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            worker.drain()

    loop.add_reader(stdin, on_input)


def exit_at_once() -> None:
    os._exit(EXIT_HARD)

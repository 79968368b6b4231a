"""The ASGI application of the events process: admits clients by the handshake and streams changes to them."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog
from django.conf import settings
from django.http import HttpResponse
from structlog.contextvars import bound_contextvars

from items.changes import CHANNEL_CHANGED
from items.queue import CHANNEL_CANCELLED, CHANNEL_ENRICHING
from litevault.events import metrics, responses, sse
from litevault.events.feed import Feed
from litevault.events.handshake import Handshake, Scope
from litevault.events.responses import Send, send_body, send_head, send_whole
from litevault.events.stream import Stream
from litevault.events.views import Admitted
from litevault.web.errors import Problem, crash
from litevault.web.request_id import HEADER, well_formed_or_new
from postgres.conninfo import listen_conninfo
from postgres.listener import Listener
from postgres.metrics_server import loop_pages, serve_in_background

logger = structlog.get_logger(__name__)

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]

CONNECTION_NAME = "litevault-events"
CHANNELS = (CHANNEL_CHANGED, CHANNEL_ENRICHING, CHANNEL_CANCELLED)
PROCESS_PATHS = {"/healthz": responses.healthz}
EXIT_CRASHED = 1
WRITE_SECONDS = 20.0
FAREWELL_SECONDS = 1.0
RETRY_MS = (1000, 4000)
"""How long a client waits before it reconnects: random, so that not all reconnect at once after a restart."""


class Events:
    """The ASGI application."""

    def __init__(self) -> None:
        self._handshake = Handshake()
        self._feed = Feed()
        metrics.limit.set(settings.EVENTS_STREAMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        """Run the feed and the listener for as long as the process lives."""
        await receive()
        listener = Listener(
            listen_conninfo(),
            channels=CHANNELS,
            name=CONNECTION_NAME,
            on_notification=lambda _channel, _payload: self._feed.wake(),
            on_health=self._record_health,
        )
        tasks = [asyncio.create_task(self._feed.run()), asyncio.create_task(listener.run())]
        for task in tasks:
            task.add_done_callback(exit_if_crashed)
        if settings.EVENTS_METRICS_PORT:
            loop = asyncio.get_running_loop()
            pages = loop_pages(loop, metrics.REGISTRY, is_ready=lambda: metrics.listener.is_healthy)
            serve_in_background(settings.METRICS_ADDRESS, settings.EVENTS_METRICS_PORT, pages)
        self._install_signal_handlers()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)
        await asyncio.gather(self._feed.close(), self._handshake.close())
        exit_despite_threads()
        await send({"type": "lifespan.shutdown.complete"})

    def _record_health(self, works: bool) -> None:
        metrics.listener.record(works=works)
        self._feed.wake()

    def _install_signal_handlers(self) -> None:
        """End all streams on a signal to stop: the server waits for them before it sends lifespan.shutdown.

        The event loop sees each signal as well, and calls the server's own handler.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._end_all))

    def _end_all(self) -> None:
        """End the streams, and the requests that wait for a silent database."""
        self._feed.stop()
        self._handshake.stop_waiting()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
        request_id = well_formed_or_new(given.decode("latin-1"))
        with bound_contextvars(request_id=request_id):
            response = await self._respond(with_request_id(scope, request_id))
            if isinstance(response, Admitted) and scope["method"] == "GET":
                await self._stream(response, receive, send)
            else:
                await send_whole(response, send, has_body=scope["method"] != "HEAD")

    async def _respond(self, scope: Scope) -> HttpResponse:
        if process_view := PROCESS_PATHS.get(scope["path"]):
            return process_view()
        if len(self._feed) >= settings.EVENTS_STREAMS:
            return responses.full()
        try:
            response = await self._handshake.respond(scope)
        except TimeoutError:
            return responses.late()
        except UnicodeDecodeError:
            return responses.error_response(Problem.known(HTTPStatus.BAD_REQUEST))
        except Exception as error:
            return responses.error_response(crash(error))
        return self._limit_error(response) or response if isinstance(response, Admitted) else response

    def _limit_error(self, admitted: Admitted) -> HttpResponse | None:
        """Return the error when a limit is reached. Nothing is awaited before the stream opens, so counts stay true."""
        if len(self._feed) >= settings.EVENTS_STREAMS:
            return responses.full()
        if self._feed.count_of(admitted.credentials.owner_id) >= settings.EVENTS_STREAMS_PER_USER:
            return responses.crowded()
        return None

    async def _stream(self, admitted: Admitted, receive: Receive, send: Send) -> None:
        position = sse.position_from(admitted.last_event_id)
        stream = Stream(
            admitted.credentials,
            position=position,
            has_bad_position=bool(admitted.last_event_id) and position is None,
            wants_activity=admitted.wants_activity,
        )
        del admitted.headers["Content-Length"]  # Django saw no body
        self._feed.add(stream)
        try:
            with metrics.streams.track_inprogress():
                await send_head(admitted, send)
                await run_stream(stream, receive, send)
        finally:
            self._feed.remove(stream)
            cause = stream.end_cause or "left"
            metrics.ended.labels(cause).inc()
            seconds = round(time.monotonic() - stream.opened_at, 1)
            logger.info("stream.ended", user_id=stream.owner_id, cause=cause, duration_s=seconds)


async def run_stream(stream: Stream, receive: Receive, send: Send) -> None:
    writing = asyncio.create_task(write(stream, send))
    ending = asyncio.create_task(stream.ended.wait())
    leaving = asyncio.create_task(wait_for_disconnect(receive))
    try:
        await asyncio.wait({writing, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            await asyncio.wait({writing}, timeout=FAREWELL_SECONDS)
    finally:
        for task in (writing, leaving, ending):
            task.cancel()
        await asyncio.gather(writing, leaving, ending, return_exceptions=True)


async def write(stream: Stream, send: Send) -> None:
    """Send chunks until the stream ends, or until the client has not read for WRITE_SECONDS."""
    chunk = sse.opening(retry_ms=random.randint(*RETRY_MS))
    try:
        while chunk:
            async with asyncio.timeout(WRITE_SECONDS):
                await send_body(chunk, send)
            chunk = await stream.next_chunk(heartbeat_seconds=settings.EVENTS_HEARTBEAT_SECONDS)
        await send_body(b"", send, is_last=True)
    except TimeoutError:
        stream.end("slow")


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def with_request_id(scope: Scope, request_id: str) -> Scope:
    """Set the request id that Django's own log lines use."""
    name = HEADER.lower().encode()
    headers = [pair for pair in scope["headers"] if pair[0] != name]
    return {**scope, "headers": [*headers, (name, request_id.encode())]}


def exit_despite_threads() -> None:
    """Exit although a thread may still wait for a silent database."""
    timer = threading.Timer(FAREWELL_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def exit_if_crashed(task: asyncio.Task[None]) -> None:
    """Exit when the feed or the listener crashes: without either, the process only looks alive."""
    if not task.cancelled() and (error := task.exception()):
        logger.critical("events.crashed", exc_info=error)
        os._exit(EXIT_CRASHED)

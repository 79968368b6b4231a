"""The events process: who comes in by the handshake is told what changes, until one of the two leaves."""

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

logger = structlog.get_logger(__name__)

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]

CONNECTION_NAME = "litevault-events"
CHANNELS = (CHANNEL_CHANGED, CHANNEL_ENRICHING, CHANNEL_CANCELLED)
OF_ITSELF = {"/healthz": responses.alive, "/metrics": responses.told}
EXIT_CRASHED = 1
WRITE_SECONDS = 20.0
FAREWELL_SECONDS = 1.0
RETRY_MS = (1000, 4000)
"""How long a client waits before it comes back: by chance, so that not all come at once after a restart."""


class Events:
    """The ASGI application."""

    def __init__(self) -> None:
        self._handshake = Handshake()
        self._feed = Feed()
        metrics.limit.set(settings.EVENTS_STREAMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Read and listen from the start of the process to its end."""
        await receive()
        listener = Listener(
            listen_conninfo(),
            channels=CHANNELS,
            name=CONNECTION_NAME,
            on_notification=lambda _channel, _payload: self._feed.ring(),
            on_health=self._notifications_work,
        )
        tasks = [asyncio.create_task(self._feed.run()), asyncio.create_task(listener.run())]
        for task in tasks:
            task.add_done_callback(leave_if_crashed)
        self._heed_signals()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)
        await asyncio.gather(self._feed.close(), self._handshake.close())
        leave_threads_behind()
        await send({"type": "lifespan.shutdown.complete"})

    def _notifications_work(self, works: bool) -> None:
        metrics.listener.record(works=works)
        self._feed.ring()

    def _heed_signals(self) -> None:
        """Let everybody go when the server is told to stop: it waits for them before it tells us.

        The event loop hears of each signal, too, and calls the server's own handler.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._let_go))

    def _let_go(self) -> None:
        """Streams, and whoever still waits at the handshake, which a silent database keeps for long."""
        self._feed.stop()
        self._handshake.turn_away()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
        request_id = well_formed_or_new(given.decode("latin-1"))
        with bound_contextvars(request_id=request_id):
            answer = await self._answer(with_request_id(scope, request_id))
            if isinstance(answer, Admitted) and scope["method"] == "GET":
                await self._stream(answer, receive, send)
            else:
                await send_whole(answer, send, has_body=scope["method"] != "HEAD")

    async def _answer(self, scope: Scope) -> HttpResponse:
        if of_itself := OF_ITSELF.get(scope["path"]):
            return of_itself()
        if len(self._feed) >= settings.EVENTS_STREAMS:
            return responses.full()
        try:
            answer = await self._handshake.answer(scope)
        except TimeoutError:
            return responses.late()
        except UnicodeDecodeError:
            return responses.refusal(Problem.known(HTTPStatus.BAD_REQUEST))
        except Exception as error:  # whatever it is, it leaves in our shape
            return responses.refusal(crash(error))
        return self._refusal_of(answer) or answer if isinstance(answer, Admitted) else answer

    def _refusal_of(self, admitted: Admitted) -> HttpResponse | None:
        """Counted when it is known who comes. From here to the stream nothing is waited for, so that counts hold."""
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
            is_lost=bool(admitted.last_event_id) and position is None,
            wants_activity=admitted.wants_activity,
        )
        del admitted.headers["Content-Length"]  # Django saw no body
        self._feed.add(stream)
        try:
            with metrics.streams.track_inprogress():
                await send_head(admitted, send)
                await until_one_leaves(stream, receive, send)
        finally:
            self._feed.remove(stream)
            cause = stream.end_cause or "left"
            metrics.ended.labels(cause).inc()
            seconds = round(time.monotonic() - stream.opened_at, 1)
            logger.info("stream.ended", user_id=stream.owner_id, cause=cause, duration_s=seconds)


async def until_one_leaves(stream: Stream, receive: Receive, send: Send) -> None:
    writing = asyncio.create_task(write(stream, send))
    ending = asyncio.create_task(stream.ended.wait())
    leaving = asyncio.create_task(until_gone(receive))
    try:
        await asyncio.wait({writing, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            await asyncio.wait({writing}, timeout=FAREWELL_SECONDS)
    finally:
        for task in (writing, leaving, ending):
            task.cancel()
        await asyncio.gather(writing, leaving, ending, return_exceptions=True)


async def write(stream: Stream, send: Send) -> None:
    """Send what comes, until the stream ends. A client that does not read is waited for, but not for long."""
    chunk = sse.opening(retry_ms=random.randint(*RETRY_MS))
    try:
        while chunk:
            async with asyncio.timeout(WRITE_SECONDS):
                await send_body(chunk, send)
            chunk = await stream.next_chunk(heartbeat_seconds=settings.EVENTS_HEARTBEAT_SECONDS)
        await send_body(b"", send, is_last=True)
    except TimeoutError:
        stream.end("slow")


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def with_request_id(scope: Scope, request_id: str) -> Scope:
    """So that Django's lines in the log have the same id as ours."""
    name = HEADER.lower().encode()
    headers = [pair for pair in scope["headers"] if pair[0] != name]
    return {**scope, "headers": [*headers, (name, request_id.encode())]}


def leave_threads_behind() -> None:
    """The end of a process waits for its threads, and one that connects to a silent database takes its time."""
    leaving = threading.Timer(FAREWELL_SECONDS, os._exit, (0,))
    leaving.daemon = True
    leaving.start()


def leave_if_crashed(task: asyncio.Task[None]) -> None:
    """Half a process would look alive, and tell nobody anything."""
    if not task.cancelled() and (error := task.exception()):
        logger.critical("events.crashed", exc_info=error)
        os._exit(EXIT_CRASHED)

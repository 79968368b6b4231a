"""Passes requests through Django: middleware, authentication, throttles and errors, as for every other URL.

Django's own ASGI handler would hold a thread and its database connection for as long as a stream is open.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias, cast

from django.core.handlers.base import BaseHandler
from django.http import HttpResponse

from litevault.events.orm_thread import OrmThread
from litevault.web.content_type import LenientASGIRequest

Scope: TypeAlias = MutableMapping[str, Any]

THREADS = 4
DEADLINE_SECONDS = 5.0
FAREWELL_SECONDS = 1.0


class Handshake:
    """A few threads, each with its own database connection, that take turns with the requests."""

    def __init__(self) -> None:
        self._handler = BaseHandler()
        self._handler.load_middleware()
        self._threads = [
            OrmThread(f"litevault-handshake-{number}", deadline_seconds=DEADLINE_SECONDS) for number in range(THREADS)
        ]
        self._free: asyncio.Queue[OrmThread] = asyncio.Queue()
        for thread in self._threads:
            self._free.put_nowait(thread)
        self._closed = asyncio.Event()

    async def respond(self, scope: Scope) -> HttpResponse:
        """Return Django's response. Raises TimeoutError when the database is too slow."""
        responding = asyncio.create_task(self._respond_in_turn(scope))
        closing = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait({responding, closing}, return_when=asyncio.FIRST_COMPLETED)
            if responding.done() or await _is_done_in_time(responding):
                return responding.result()
            raise TimeoutError
        finally:
            responding.cancel()
            closing.cancel()

    def stop_waiting(self) -> None:
        """Fail requests still waiting after FAREWELL_SECONDS."""
        self._closed.set()

    async def close(self) -> None:
        await asyncio.gather(*(thread.close() for thread in self._threads))

    async def _respond_in_turn(self, scope: Scope) -> HttpResponse:
        async with asyncio.timeout(DEADLINE_SECONDS):
            thread = await self._free.get()
        try:
            return await thread.run(partial(self._respond, scope))
        finally:
            self._free.put_nowait(thread)

    def _respond(self, scope: Scope) -> HttpResponse:
        # No request here has a body, and no view streams.
        return cast(HttpResponse, self._handler.get_response(LenientASGIRequest(scope, BytesIO())))


async def _is_done_in_time(responding: asyncio.Task[HttpResponse]) -> bool:
    await asyncio.wait({responding}, timeout=FAREWELL_SECONDS)
    return responding.done()

"""Has Django decide who may come in: middleware, authentication, throttle and errors, as for every other URL.

Django's own ASGI handler would keep a thread, and its database connection, for as long as an answer lasts.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias, cast

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse

from litevault.events.orm_thread import OrmThread

Scope: TypeAlias = MutableMapping[str, Any]

THREADS = 4
DEADLINE_SECONDS = 5.0
FAREWELL_SECONDS = 1.0


class Handshake:
    """A few threads, each with a connection of its own, that answer one request after the other."""

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

    async def answer(self, scope: Scope) -> HttpResponse:
        """Raises TimeoutError when the database keeps everybody waiting."""
        answering = asyncio.create_task(self._answer_in_turn(scope))
        closing = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait({answering, closing}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done() or await _is_done_soon(answering):
                return answering.result()
            raise TimeoutError
        finally:
            answering.cancel()
            closing.cancel()

    def turn_away(self) -> None:
        """From now on whoever has to wait for more than a moment is not waited for."""
        self._closed.set()

    async def close(self) -> None:
        await asyncio.gather(*(thread.close() for thread in self._threads))

    async def _answer_in_turn(self, scope: Scope) -> HttpResponse:
        async with asyncio.timeout(DEADLINE_SECONDS):
            thread = await self._free.get()
        try:
            return await thread.run(partial(self._answer, scope))
        finally:
            self._free.put_nowait(thread)

    def _answer(self, scope: Scope) -> HttpResponse:
        # No call takes a body, and no view here streams by itself.
        return cast(HttpResponse, self._handler.get_response(ASGIRequest(scope, BytesIO())))


async def _is_done_soon(answering: asyncio.Task[HttpResponse]) -> bool:
    await asyncio.wait({answering}, timeout=FAREWELL_SECONDS)
    return answering.done()

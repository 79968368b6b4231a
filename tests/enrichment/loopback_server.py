"""An HTTP server on loopback, in a thread of its own, for asynchronous tests and for other processes."""

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Self

from aiohttp import web


class LoopbackServer(ABC):
    """Listens from `start` to `stop`. Port 0 means a free port, which `port` has afterwards."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.closing = asyncio.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    @abstractmethod
    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what the server responds to."""

    def start(self) -> Self:
        self._thread.start()
        assert self._ready.wait(timeout=10), "The server did not start; is the port in use?"
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self.closing.set)
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _serve(self) -> None:
        application = web.Application(client_max_size=50_000_000)
        self.add_routes(application.router)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self.closing.wait()
        await runner.cleanup()

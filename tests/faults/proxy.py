"""A TCP proxy between a process and its database, which can cut connections, refuse them, or fall silent.

Silence is the worst: the proxy still accepts and acknowledges data, as a dead host behind a load balancer does,
so that neither keepalives nor TCP timeouts notice anything.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Self

CHUNK_BYTES = 65536


class Proxy:
    """Forwards to one server, on a thread of its own, until a method makes it misbehave."""

    def __init__(self, host: str, port: int, *, listen_on: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._listen_on = listen_on
        self._loop = asyncio.new_event_loop()
        # True once data was sent that is not passed on.
        self.is_holding_back = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._refuses = False
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen()).result(10)
        return self

    def __exit__(self, *_error: object) -> None:
        self._do(self._close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def fall_silent(self) -> None:
        """Accept everything and pass nothing on, in either direction, on old connections and on new ones."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def heal(self) -> None:
        """Pass everything on again, first what was held back."""
        self._refuses = False
        self._loop.call_soon_threadsafe(self._flows.set)

    def cut(self) -> None:
        """Close every connection, and accept new ones."""
        self._loop.call_soon_threadsafe(self._close_connections)

    def refuse(self) -> None:
        """Close every connection, and each new one at once, until healed."""
        self._refuses = True
        self.cut()

    def refuse_new(self) -> None:
        """Keep the connections that there are, and close each new one at once, until healed."""
        self._refuses = True

    def _do(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _listen(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._connected, self._listen_on, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self._refuses:
            writer.close()
            return
        self._keep(asyncio.current_task())
        await self._flows.wait()
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()  # Without a server behind it, the proxy refuses, too.
            return
        self._writers.add(server_writer)
        self._keep(asyncio.create_task(self._pump(reader, server_writer)))
        self._keep(asyncio.create_task(self._pump(server_reader, writer)))

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                self.is_holding_back = not self._flows.is_set()
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass  # One side has closed: close the other.
        finally:
            sink.close()

    def _close_connections(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        writers = list(self._writers)
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._close_connections()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

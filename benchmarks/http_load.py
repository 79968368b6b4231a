"""Keeps a number of connections busy, one request after the other on each, as cheaply as Python can.

`python -m benchmarks.http_load` reads its orders as JSON from standard input and writes latencies to standard output.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from itertools import cycle
from urllib.parse import urlsplit

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Order:
    """`tokens` take turns, so that no user is slower for being the only one."""

    method: str
    url: str
    body: str
    tokens: list[str]
    connections: int
    seconds: float
    is_greedy: bool = False
    """Whether to go on at once after a 429. Else it is an error."""

    def as_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True)
class Outcome:
    requests_per_second: float
    latencies_ms: list[float]


def request_bytes(order: Order, token: str) -> bytes:
    address = urlsplit(order.url)
    path = f"{address.path}?{address.query}" if address.query else address.path
    lines = [f"{order.method} {path} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {token}"]
    lines += ["X-Forwarded-Proto: https", "Content-Type: application/json", f"Content-Length: {len(order.body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + order.body).encode()


async def keep_asking(order: Order, token: str, ends_at: float, latencies: list[float]) -> None:
    address = urlsplit(order.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**20)
    request = request_bytes(order, token)
    while (begun_at := time.perf_counter()) < ends_at:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        found = LENGTH.search(head)
        body = await reader.readexactly(int(found[1])) if found else b""
        accepted = (b"HTTP/1.1 20", b"HTTP/1.1 429") if order.is_greedy else b"HTTP/1.1 20"
        assert head.startswith(accepted), head + body[:500]
        latencies.append((time.perf_counter() - begun_at) * 1000)
    writer.close()


async def carry_out(order: Order) -> Outcome:
    latencies: list[float] = []
    begun_at = time.perf_counter()
    tokens = cycle(order.tokens)
    async with asyncio.TaskGroup() as group:
        for _ in range(order.connections):
            group.create_task(keep_asking(order, next(tokens), begun_at + order.seconds, latencies))
    return Outcome(len(latencies) / (time.perf_counter() - begun_at), latencies)


if __name__ == "__main__":
    json.dump(asdict(asyncio.run(carry_out(Order(**json.load(sys.stdin))))), sys.stdout)

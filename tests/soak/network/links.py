"""A network of hosts whose packets are late or lost, and which can be divided.

Each host is a network namespace with a TUN interface. This process forwards the packets between them: the kernels of CI
and of many containers have no sch_netem, and a TUN device needs nothing else.
"""

import fcntl
import heapq
import os
import random
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count

from tests.faults.hosts import NoNamespaces, ip
from tests.soak.network.namespaces import Namespace

# A range for benchmarks (RFC 2544), which no real network uses.
SUBNET = "198.18.0"
INTERFACE = "tun0"
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MAX_PACKET_BYTES = 65536
SOURCE, DESTINATION = slice(12, 16), slice(16, 20)


class Host:
    """One host, and its address in the network."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"{SUBNET}.{number}"
        self.namespace = Namespace()
        with self.namespace.entered():
            self.device = _open_tun()
            ip("link", "set", "lo", "up")
            ip("address", "add", f"{self.address}/24", "dev", INTERFACE)
            ip("link", "set", INTERFACE, "up")

    def close(self) -> None:
        os.close(self.device)
        self.namespace.close()


class Network:
    """Forwards packets on a thread of its own, each after half of the round trip, except those that are lost."""

    def __init__(self, hosts: Sequence[Host], *, round_trip: float, jitter: float, loss: float, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._hosts = {socket.inet_aton(host.address): host for host in hosts}
        self._delay, self._jitter, self._loss = round_trip / 2, jitter / 2, loss
        self._random = random.Random(seed)
        self._divided: set[frozenset[str]] = set()
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._numbers = count()
        self._ends = False
        self._thread = threading.Thread(target=self._forward, name="network", daemon=True)

    @contextmanager
    def partition(self, *pairs: tuple[Host, Host]) -> Iterator[None]:
        """Lose all packets between the two hosts of each pair, in both directions, during the block."""
        divided = {frozenset((one.name, other.name)) for one, other in pairs}
        self._divided = self._divided | divided
        try:
            yield
        finally:
            self._divided = self._divided - divided

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ends = True
        self._thread.join()

    def _forward(self) -> None:
        with selectors.DefaultSelector() as selector:
            for host in self._hosts.values():
                selector.register(host.device, selectors.EVENT_READ)
            while not self._ends:
                for key, _ in selector.select(self._seconds_to_next()):
                    self._take(key.fd)
                self._deliver()

    def _seconds_to_next(self) -> float:
        return max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else 0.1

    def _take(self, device: int) -> None:
        with suppress(BlockingIOError):
            while packet := os.read(device, MAX_PACKET_BYTES):
                source, target = self._hosts.get(packet[SOURCE]), self._hosts.get(packet[DESTINATION])
                # IPv6, which asks for routers, and broadcasts have no target here.
                if source and target:
                    self._send(source, target, packet)

    def _send(self, source: Host, target: Host, packet: bytes) -> None:
        if frozenset((source.name, target.name)) in self._divided:
            self.counts["kept back"] += 1
        elif self._random.random() < self._loss:
            self.counts["lost"] += 1
        else:
            self.counts["forwarded"] += 1
            delay = self._delay + self._random.uniform(-self._jitter, self._jitter)
            heapq.heappush(self._under_way, (time.monotonic() + delay, next(self._numbers), target.device, packet))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(self._under_way)
            with suppress(BlockingIOError):  # a full interface drops packets, as a real one does
                os.write(device, packet)


@contextmanager
def network_of(
    *names: str, round_trip: float, jitter: float, loss: float, seed: int
) -> Iterator[tuple[Network, dict[str, Host]]]:
    """Make a host for each name. Raises NoNamespaces if this machine cannot."""
    with ExitStack() as stack:
        hosts = {}
        for number, name in enumerate(names, start=1):
            hosts[name] = Host(name, number)
            stack.callback(hosts[name].close)
        network = Network(list(hosts.values()), round_trip=round_trip, jitter=jitter, loss=loss, seed=seed)
        network.start()
        stack.callback(network.stop)
        yield network, hosts


def _open_tun() -> int:
    """Make a TUN interface in the namespace that this thread has entered. It ends when it is closed."""
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", INTERFACE.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        raise NoNamespaces(f"/dev/net/tun: {error.strerror}") from None
    return device

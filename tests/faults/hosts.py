"""Hosts for listeners, each with a network path of its own to the database, which can be cut and restored.

Network namespaces are real: interfaces and addresses of their own, and a cable to pull. They need root on Linux.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from django.db import connection

from tests.database import database_url
from tests.faults.proxy import Proxy
from tests.plugins.commands import CommandStarter, Started
from tests.waiting import PATIENCE_SECONDS

# A range for benchmarks (RFC 2544), which no real network uses.
SUBNET = f"198.18.{os.getpid() % 256}"
# Python 3.11 has no setns().
ENTER = "import os, sys; os.execvp('ip', ['ip', 'netns', 'exec', *sys.argv[1:]])"


class NoNamespaces(Exception):
    """Namespaces and virtual interfaces need Linux, root, CAP_NET_ADMIN and the ip command."""


@dataclass(frozen=True)
class Host:
    """One host. `program` starts a Python program there, and `address` is the database's address as seen from there."""

    name: str
    program: tuple[str, ...]
    address: tuple[str, int]
    cut: Callable[[], object]
    mend: Callable[[], object]

    def start_listener(self, start: CommandStarter, seconds: float, **environment: str) -> Started:
        """Start a listener, named after its host, whose provider takes this many seconds for each item."""
        program = (*self.program, "-m", "tests.faults.slow_listener", str(seconds))
        url = database_url(by_way_of=self.address)
        process = start("--worker-id", self.name, program=program, DATABASE_URL=url, **environment)
        process.until_it_listens()
        return process


@contextmanager
def hosts_behind_proxies(count: int) -> Iterator[list[Host]]:
    """Hosts on this machine, each behind a proxy that can fall silent."""
    with ExitStack() as stack:
        proxies = [stack.enter_context(_proxy()) for _ in range(count)]
        yield [
            Host(f"host-{n}", (), ("127.0.0.1", proxy.port), proxy.fall_silent, proxy.heal)
            for n, proxy in enumerate(proxies)
        ]


@contextmanager
def hosts_in_namespaces(count: int) -> Iterator[list[Host]]:
    """Make network namespaces, joined by a bridge. Raise NoNamespaces if this machine cannot."""
    bridge = f"lv{os.getpid()}"
    with ExitStack() as stack:
        ip("link", "add", bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", bridge)
        ip("address", "add", f"{SUBNET}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        proxy = stack.enter_context(_proxy(listen_on=f"{SUBNET}.1"))
        yield [_host_in_namespace(stack, n, bridge, proxy) for n in range(count)]


def _host_in_namespace(stack: ExitStack, number: int, bridge: str, proxy: Proxy) -> Host:
    name, cable = f"{bridge}-{number}", f"{bridge}c{number}"
    ip("netns", "add", name)
    stack.callback(ip, "netns", "delete", name)
    ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
    # Killed here, because the kernel keeps a namespace while a socket in it has something to send.
    stack.callback(ip, "link", "delete", cable)
    ip("link", "set", cable, "master", bridge, "up")
    ip("-netns", name, "address", "add", f"{SUBNET}.{number + 2}/24", "dev", "eth0")
    ip("-netns", name, "link", "set", "eth0", "up")
    return Host(
        f"host-{number}",
        ("-c", ENTER, name, sys.executable),
        (f"{SUBNET}.1", proxy.port),
        cut=lambda: ip("link", "set", cable, "down"),
        mend=lambda: ip("link", "set", cable, "up"),
    )


def _proxy(**options: str) -> Proxy:
    return Proxy(connection.settings_dict["HOST"], int(connection.settings_dict["PORT"]), **options)


def ip(*arguments: str) -> None:
    """Run the command. Raises NoNamespaces."""
    program = shutil.which("ip", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise NoNamespaces("the program ip (iproute2) is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise NoNamespaces(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

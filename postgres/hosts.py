"""Connections to one of several hosts: no host and no address takes more than its share of the deadline.

libpq gives each host the whole connect_timeout: a first host that accepts and stays silent would use up the deadline of
every claim before the second one is tried.
"""

import asyncio
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ConnectionTimeout

Parameters: TypeAlias = Mapping[str, Any]
"""Of a connection, as psycopg.conninfo.conninfo_to_dict returns them."""

Target: TypeAlias = tuple[str, str, str]
"""The host, the address and the port of one attempt. Empty: libpq's default."""

Connected = TypeVar("Connected", bound=psycopg.BaseConnection[Any])

_answered: dict[Target, Target] = {}
"""By the hosts, addresses and ports of the parameters, the one that was connected to last."""

_led_to: WeakKeyDictionary[psycopg.BaseConnection[Any], tuple[Target, Target]] = WeakKeyDictionary()
"""By connection, the key and the value that it put into `_answered`."""


def has_moved(connection: psycopg.BaseConnection[Any] | None) -> bool:
    """Return whether a later connection of this process led to another host, as after a failover.

    The former host may still accept writes, or accept them again: a frozen primary that thaws. So use it no more.
    """
    if connection is None or connection not in _led_to:
        return False
    all_targets, target = _led_to[connection]
    return _answered.get(all_targets, target) != target


def forget() -> None:
    """Begin with the first host again, because the last one turned out to be read-only."""
    _answered.clear()


class Attempts:
    """The targets that are still to be tried, each with its share of the remaining seconds.

    The one that answered last is first. A host name is a target that `resolve` replaces by its addresses.
    """

    def __init__(self, parameters: Parameters, *, deadline_seconds: float) -> None:
        self._all = target_of(parameters)
        self._ends_at = time.monotonic() + deadline_seconds
        self._longest = connect_timeout_of(parameters) or deadline_seconds
        self._tried: set[Target] = set()
        self._waiting = deque(split(self._all))
        self._last: Target | None = None
        self._is_any_equal = parameters.get("load_balance_hosts") == "random"
        if self._is_any_equal:
            random.shuffle(self._waiting)
        else:
            self._last = _answered.get(self._all)
            self._waiting = deque(sorted(self._waiting, key=self._is_other_host))

    def __iter__(self) -> Iterator[tuple[Target, float]]:
        while self._waiting:
            target = self._waiting.popleft()
            if target not in self._tried:
                self._tried.add(target)
                share = (self._ends_at - time.monotonic()) / (len(self._waiting) + 1)
                yield target, max(0.0, min(share, self._longest))

    def add(self, addresses: list[Target]) -> None:
        # The last one only if the name still leads to it: the name may have moved to a new primary.
        in_order = sorted(addresses, key=lambda address: address != self._last)
        self._waiting.extendleft(reversed(in_order))

    def remember(self, target: Target, connection: psycopg.BaseConnection[Any]) -> None:
        if not self._is_any_equal:
            _answered[self._all] = target
            _led_to[connection] = self._all, target

    def _is_other_host(self, target: Target) -> bool:
        return self._last is None or (target[0], target[2]) != (self._last[0], self._last[2])


async def connect_async(
    connect: Callable[..., Awaitable[Connected]], conninfo: str, *, deadline_seconds: float
) -> Connected:
    """Return the first connection. Raises the last psycopg.Error if there is none.

    `connect` is called with the parameters for one target.
    """
    parameters = conninfo_to_dict(conninfo)
    attempts = Attempts(parameters, deadline_seconds=deadline_seconds)
    last_error: psycopg.Error = psycopg.OperationalError("no host")
    for target, seconds in attempts:
        try:
            async with asyncio.timeout(seconds):
                if is_name(target):
                    attempts.add(await resolve_in_thread(target))
                    continue
                connection = await connect(**{**parameters, **named(target)})
        except (psycopg.Error, OSError) as error:
            last_error = psycopg_error(error)
        else:
            attempts.remember(target, connection)
            return connection
    raise last_error from None


def connect(connect: Callable[..., Connected], parameters: Parameters, *, deadline_seconds: float) -> Connected:
    """Return the first connection, without an event loop.

    Resolving names and very short shares may exceed the deadline: psycopg waits for at least two seconds.
    """
    attempts = Attempts(parameters, deadline_seconds=deadline_seconds)
    last_error: psycopg.Error = psycopg.OperationalError("no host")
    for target, seconds in attempts:
        timeout = {"connect_timeout": max(1, round(seconds))}
        try:
            if is_name(target):
                attempts.add(resolve(target))
                continue
            connection = connect(**{**parameters, **named(target), **timeout})
        except (psycopg.Error, OSError) as error:
            last_error = psycopg_error(error)
        else:
            attempts.remember(target, connection)
            return connection
    raise last_error from None


def psycopg_error(error: Exception) -> psycopg.Error:
    """Return the error of psycopg for one of the network, as psycopg's own connect() does."""
    if isinstance(error, psycopg.Error):
        return error
    return ConnectionTimeout() if isinstance(error, TimeoutError) else psycopg.OperationalError(type(error).__name__)


def connect_timeout_of(parameters: Parameters) -> float:
    """Return the operator's connect_timeout in seconds, or 0."""
    return max(0.0, float(parameters.get("connect_timeout") or 0))


def seconds_for_all(conninfo: str) -> float:
    """Return how long all hosts together may take by the operator's connect_timeout, or 0."""
    parameters = conninfo_to_dict(conninfo)
    return connect_timeout_of(parameters) * len(split(target_of(parameters)))


def target_of(parameters: Parameters) -> Target:
    return (str(parameters.get("host") or ""), str(parameters.get("hostaddr") or ""), str(parameters.get("port") or ""))


def split(target: Target) -> list[Target]:
    """Return one target for each host. Lists of different lengths are left together: libpq refuses them."""
    lists = [text.split(",") for text in target]
    count = max(map(len, lists))
    if not all(len(each) in (1, count) for each in lists) or count == 1:
        return [target]
    hosts, addresses, ports = (each * (count // len(each)) for each in lists)
    return list(zip(hosts, addresses, ports, strict=True))


def named(target: Target) -> dict[str, str]:
    """Return the target as parameters, without the empty ones."""
    return {name: value for name, value in zip(("host", "hostaddr", "port"), target, strict=True) if value}


def is_name(target: Target) -> bool:
    """Return whether the host has to be resolved."""
    host, address, _ = target
    if not host or address or host.startswith(("/", "@")) or "," in host:
        return False
    with suppress(ValueError):
        ip_address(host.partition("%")[0])
        return False
    return True


def resolve(target: Target) -> list[Target]:
    """Raises OSError if the name is unknown."""
    host, _, port = target
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [(host, str(address[0]), port) for *_, address in found]


async def resolve_in_thread(target: Target) -> list[Target]:
    """Do the same in a daemon thread, because asyncio.run() waits for its own threads, and a resolver may be silent."""
    resolved: Future[list[Target]] = Future()
    resolved.set_running_or_notify_cancel()  # a late result is dropped

    def run() -> None:
        try:
            resolved.set_result(resolve(target))
        except Exception as error:  # raised to the caller
            resolved.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(resolved)

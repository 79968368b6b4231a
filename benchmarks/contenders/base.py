"""What is measured side by side: each takes keys in, and starts work on them in a process of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

import psycopg

Started = Callable[[str], None]


class Capturer(Protocol):
    """One open connection that hands over work the way the contender's users do."""

    def one(self, key: str) -> None:
        """Commit one piece of work."""

    def many(self, keys: Sequence[str]) -> None:
        """Commit all of them in one transaction."""


class Contender(ABC):
    """A queue on PostgreSQL, used as its documentation advises. `settings` says with what settings."""

    name: ClassVar[str]
    settings: ClassVar[str]
    done: ClassVar[str]  # SQL that is true when no work is left, and all of its results are written
    clear: ClassVar[str]  # SQL that throws all work away
    environment: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def install(self, url: str) -> None:
        """Lay down its tables. The database is new."""

    @abstractmethod
    def capturing(self, url: str) -> AbstractContextManager[Capturer]: ...

    @abstractmethod
    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        """Work until cancelled, or until SIGTERM. Each piece calls `started`, and then takes so many seconds."""

    def forget(self, url: str) -> None:
        """Throw away what a slow contender has not come to."""
        with psycopg.connect(url, autocommit=True) as connected:
            connected.execute(self.clear)

    def is_done(self, connected: psycopg.Connection) -> bool:
        return connected.execute(self.done).fetchone() == (True,)


def batches(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), size):
        yield keys[first : first + size]

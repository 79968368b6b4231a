"""Who listens, and who works."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from items.admin.counting import MOST_TO_COUNT, Count
from items.admin.overview.questions import LISTENERS, WORKERS, ask
from items.admin.words import time_in_words
from items.queue import LISTENER_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A connection that listens. `since` and `last_seen` are None when our database role may not see them."""

    host: str | None
    pid: int
    since: datetime | None
    last_seen: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Whoever finished an attempt in the last hour."""

    name: str
    attempts: Count
    last_seen: str | None


def listeners() -> list[Listener]:
    return [
        Listener(host=host, pid=pid, since=since, last_seen=ago(pause))
        for host, pid, since, pause in ask(LISTENERS, listener=LISTENER_NAME)
    ]


def workers() -> list[Worker]:
    return [
        Worker(name=name, attempts=Count(attempts), last_seen=ago(pause))
        for name, attempts, pause in ask(WORKERS, most=MOST_TO_COUNT)
    ]


def ago(pause: timedelta | None) -> str | None:
    return None if pause is None else f"{time_in_words(pause.total_seconds())} ago"

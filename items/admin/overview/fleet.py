"""Who listens, and who works."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from items.admin.counting import MOST_TO_COUNT, Count
from items.admin.overview.questions import LISTENERS, WORKERS, ask
from items.admin.words import time_in_words
from items.queue import LISTENER_NAME, listener_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One that listens. `since` and `last_seen` are None when our database role may not see them."""

    host: str | None
    pid: int
    since: datetime | None
    last_seen: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What somebody did in the last hour, and holds now."""

    in_flight: int
    attempts: Count
    last_finished: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """`connection` is None for one that does not listen: it was stopped, or has died."""

    name: str
    connection: Connection | None
    work: Work


def fleet(held: Mapping[str, int]) -> list[Worker]:
    """Those who listen, then those who only worked in the last hour. `held` is what each has in flight."""
    works = dict(_works(held))
    # PostgreSQL may have kept only a part of an id.
    ids = {listener_name(name): name for name in works}
    nothing = Work(in_flight=0, attempts=Count(0), last_finished=None)
    listening = [
        (ids.get(shown, shown.removeprefix(LISTENER_NAME).strip()), connection) for shown, connection in _connections()
    ]
    present = {name for name, _ in listening}
    return [
        *(Worker(name=name, connection=connection, work=works.get(name, nothing)) for name, connection in listening),
        *(Worker(name=name, connection=None, work=work) for name, work in works.items() if name not in present),
    ]


def _connections() -> Iterator[tuple[str, Connection]]:
    for shown, host, pid, since, pause in ask(LISTENERS, listener=LISTENER_NAME):
        yield shown, Connection(host=host, pid=pid, since=since, last_seen=ago(pause))


def _works(held: Mapping[str, int]) -> Iterator[tuple[str, Work]]:
    finished = {name: (attempts, pause) for name, attempts, pause in ask(WORKERS, most=MOST_TO_COUNT)}
    for name in [*finished, *(name for name in held if name not in finished)]:
        attempts, pause = finished.get(name, (0, None))
        yield name, Work(in_flight=held.get(name, 0), attempts=Count(attempts), last_finished=ago(pause))


def ago(pause: timedelta | None) -> str | None:
    return None if pause is None else f"{time_in_words(pause.total_seconds())} ago"

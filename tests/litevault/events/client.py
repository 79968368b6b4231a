"""An HTTP client of the events process."""

import http.client
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.contrib.auth.models import User
from django.db import connection

from litevault.accounts.models import ApiToken
from tests.waiting import PATIENCE_SECONDS

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    event_id: str


class Listening:
    """One open stream. Reading has a deadline."""

    def __init__(self, port: int, *, path: str = "/api/v1/events", method: str = "GET", **headers: str) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
        try:
            self.connection.request(method, path, headers=headers)
            self.answer = self.connection.getresponse()
        except BaseException:
            self.connection.close()
            raise
        self.last_id = ""

    def __enter__(self) -> Self:
        if self.answer.status != 200:
            said = self.answer.read()
            self.close()
            raise AssertionError(said)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.answer.close()
        self.connection.close()

    def block(self) -> list[str] | None:
        """Return the lines up to the next empty one, or None when the stream has ended."""
        lines: list[str] = []
        while line := self.answer.readline().decode():
            if line == "\n":
                self._remember_id(lines)
                return lines
            lines.append(line.rstrip("\n"))
        return None

    def event(self) -> Event:
        """Return the next event, without heartbeats."""
        while (lines := self.block()) is not None:
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "data" in fields:
                return Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
        raise EOFError

    def until(self, status: str, item_id: object) -> dict[str, Any]:
        """Read events until the item has this status."""
        while True:
            data: dict[str, Any] = self.event().data
            if (data.get("id"), data.get("status")) == (str(item_id), status):
                return data

    def heartbeat(self) -> list[str]:
        while (lines := self.block()) is not None:
            if lines[0] == ": alive":
                return lines
        raise EOFError

    def until_it_ends(self) -> None:
        while self.block() is not None:
            pass

    def _remember_id(self, lines: list[str]) -> None:
        for line in lines:
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")


def token_of(user: User) -> str:
    return ApiToken.objects.issue(user=user, name="events")[1]


def connections() -> int:
    """Return the number of LISTEN connections of events processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'litevault-events' "
            "AND datname = current_database()"
        )
        (count,) = cursor.fetchone()
        return int(count)

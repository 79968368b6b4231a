"""Clients who capture and confirm over HTTP, send again what was not answered, and remember what they saw."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from typing import Any

from tests.litevault.events.client import Listening
from tests.privacy.web import HOST

PAUSE_SECONDS = 0.1
TIMEOUT_SECONDS = 30.0


@dataclass
class Seen:
    """What the clients were answered, with the time of the answer."""

    captured: dict[str, tuple[str, float]] = field(default_factory=dict)
    ready: dict[str, float] = field(default_factory=dict)
    confirmed: dict[str, float] = field(default_factory=dict)
    streamed: dict[str, tuple[str, float]] = field(default_factory=dict)

    def longest_pause(self, since: float) -> float:
        """Return the most seconds without an answer to a capture."""
        answered = sorted(at for _, at in list(self.captured.values()) if at > since)
        return max(after - before for before, after in pairwise([since, *answered]))


class Clients:
    """Until `stop`, some threads capture, one confirms every second item that is ready, and one reads the stream."""

    def __init__(self, web_port: int, events_port: int, token: str) -> None:
        self.seen = Seen()
        self._web_port = web_port
        self._events_port = events_port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._is_capturing = True
        self._is_reading = True
        self._lock = threading.Lock()

    def capture(self, text: str) -> None:
        """Send it with one key until it is stored."""
        answer = self._until_answered("POST", "/api/v1/items", {"rawText": text}, key=text)
        with self._lock:
            self.seen.captured[text] = (answer["id"], time.monotonic())

    def capture_until_stopped(self, client: int) -> None:
        number = 0
        while self._is_capturing:
            self.capture(f"Text {number} of client {client}.")
            number += 1
            time.sleep(PAUSE_SECONDS)  # the pace of the load

    def confirm_until_stopped(self) -> None:
        while self._is_capturing:
            page = self._until_answered("GET", "/api/v1/items?status=READY_TO_CONFIRM&limit=100")
            for item in page["items"]:
                if self.seen.ready.setdefault(item["id"], time.monotonic()) and item["rawText"].count("2"):
                    self._confirm(item["id"])
            time.sleep(PAUSE_SECONDS)  # the pace of the load

    def _confirm(self, item_id: str) -> None:
        # A second one is refused: the first one was made, and its answer was lost.
        body = {"action": "confirm"}
        answer = self._until_answered("PATCH", f"/api/v1/items/{item_id}", body, final=(200, 404, 409))
        if answer.get("status") == "ARCHIVED":
            self.seen.confirmed[item_id] = time.monotonic()

    def read_stream(self) -> None:
        while self._is_reading:
            try:
                with Listening(self._events_port, Authorization=self._headers["Authorization"]) as stream:
                    while self._is_reading:
                        data = stream.event().data
                        if "id" in data:
                            self.seen.streamed[data["id"]] = (data["status"], time.monotonic())
            except (OSError, HTTPException, EOFError, AssertionError):
                time.sleep(PAUSE_SECONDS)  # as a browser does before it connects again

    def _until_answered(
        self, method: str, path: str, body: object = None, *, final: tuple[int, ...] = (200, 201), key: str = ""
    ) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                status, answer = self._send(method, path, body, headers)
            except (OSError, HTTPException):
                status, answer = 0, None
            if status in final:
                return answer
            # A request whose answer was lost may still be running.
            is_running = status == 409 and answer["error"]["code"] == "DUPLICATE_REQUEST"
            assert status in (0, 503) or is_running, (status, answer)
            time.sleep(PAUSE_SECONDS)  # between two tries

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[int, Any]:
        connection = HTTPConnection(HOST, self._web_port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self._headers | headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def stop_capturing(self) -> None:
        self._is_capturing = False

    def stop_reading(self) -> None:
        self._is_reading = False
        self.capture("The last one: its event ends the wait for events.")


@contextmanager
def clients_at_work(clients: Clients, *, capturing: int) -> Iterator[tuple[Clients, Callable[[], None]]]:
    """Yield them, and a function that ends the load and raises what went wrong."""
    with ThreadPoolExecutor(capturing + 2) as pool:
        load: list[Future[None]] = [pool.submit(clients.capture_until_stopped, number) for number in range(capturing)]
        load.append(pool.submit(clients.confirm_until_stopped))
        stream = pool.submit(clients.read_stream)

        def finish() -> None:
            clients.stop_capturing()
            for each in load:
                each.result()

        try:
            yield clients, finish
        finally:
            clients.stop_capturing()
            clients.stop_reading()
            stream.result()

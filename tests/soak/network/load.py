"""Captures and probes of the web server during the run, and their responses."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.soak.network.namespaces import Namespace

# More than any deadline of ours. A request that is never answered fails the test.
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.7
NO_ANSWER = 0


@dataclass(frozen=True)
class Response:
    status: int
    began_at: float
    seconds: float


@dataclass
class Load:
    """Sends captures, each again with its key until it is answered with 201, and looks at the probes."""

    namespace: Namespace
    port: int
    token: str
    captured: list[str] = field(default_factory=list)
    captured_at: dict[str, float] = field(default_factory=dict)
    responses: dict[str, list[Response]] = field(default_factory=dict)
    _ends: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        threads = [threading.Thread(target=self._capture, args=(f"client {n}",)) for n in range(clients)]
        threads += [threading.Thread(target=self._probe, args=(path,)) for path in ("/healthz", "/readyz")]
        with self.namespace.entered():  # threads stay where they are made
            for thread in threads:
                thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join()

    def since(self, path: str, moment: float) -> list[Response]:
        """Return the responses to the requests that ended after this moment."""
        return [response for response in self.responses.get(path, []) if response.began_at + response.seconds >= moment]

    def has(self, status: int, path: str, since: float) -> bool:
        """Return whether a request that began after this moment was answered with this status."""
        return any(r.status == status and r.began_at >= since for r in list(self.responses.get(path, [])))

    def all_have_captured(self, since: float) -> bool:
        """Return whether each client has received a 201 after this moment."""
        return all(moment >= since for moment in list(self.captured_at.values()))

    def statuses(self, path: str, since: float) -> set[int]:
        return {response.status for response in self.since(path, since)}

    def summary(self, path: str, since: float = 0) -> str:
        responses = self.since(path, since)
        counts = Counter(response.status for response in responses)
        by_status = ", ".join(f"{number} x {status}" for status, number in sorted(counts.items()))
        return f"{path}: {by_status}; the longest took {max(r.seconds for r in responses):.1f} s"

    def answers(self) -> bool:
        with self.namespace.entered():
            return self._call("GET", "/readyz").status == HTTPStatus.OK

    def _capture(self, name: str) -> None:
        """Leave nothing behind that was not answered: without its 201 there is nothing to promise."""
        number = 0
        while not self._ends.is_set():
            number += 1
            text = f"Text {number} of {name} comes from afar."
            while self._call("POST", "/api/v1/items", {"rawText": text}, key=text).status != HTTPStatus.CREATED:
                time.sleep(PAUSE_SECONDS)  # the pace of the load, not a wait
            self.captured.append(text)
            self.captured_at[name] = time.monotonic()
            time.sleep(PAUSE_SECONDS)  # likewise

    def _probe(self, path: str) -> None:
        while not self._ends.is_set():
            self._call("GET", path)
            time.sleep(PAUSE_SECONDS)  # likewise

    def _call(self, method: str, path: str, body: object = None, *, key: str = "") -> Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key.replace(" ", "-")
        began_at, status = time.monotonic(), NO_ANSWER
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        response = Response(status, began_at, time.monotonic() - began_at)
        self.responses.setdefault(path, []).append(response)
        return response


def seconds_until(condition: Callable[[], object], *, limit: float) -> float:
    """Return how long it takes until the condition holds. Raises AssertionError at the limit."""
    began_at = time.monotonic()
    while not condition():
        assert time.monotonic() - began_at < limit, f"it did not happen within {limit:.0f} s"
        time.sleep(0.1)  # between two looks, not instead of one
    return time.monotonic() - began_at

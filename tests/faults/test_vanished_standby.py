"""A synchronous standby that is away: each commit waits for it without an end."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from postgres.django.waits import POOL_CONNECTIONS
from postgres.embedded.embedded import running_postgres
from tests.embedded import throwaway_folder
from tests.faults.test_read_only_server import manage
from tests.plugins.commands import CommandStarter, starting
from tests.privacy.web import HOST, web_server
from tests.waiting import PATIENCE_SECONDS, until

THREADS = ("--blocking-threads", "16")
CAPTURES = 2 * POOL_CONNECTIONS + 8
NEVER = "3600"
# One waits for the standby, and the others for its lock: commits that notify are made one after the other.
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT'"
STORED = "SELECT raw_text, items.id::text FROM items JOIN auth_user ON owner_id = auth_user.id WHERE username = %s"


class Answer(NamedTuple):
    status: int
    body: Any
    retry_after: str | None


class Client(NamedTuple):
    port: int
    token: str
    metrics: Callable[[], str]

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        headers |= {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read().decode()
            is_json = response.headers["Content-Type"].startswith("application/json")
            body = json.loads(content) if is_json else content
            return Answer(response.status, body, response.headers["Retry-After"])
        finally:
            connection.close()

    def capture(self, number: int) -> Answer:
        return self.send(
            "POST", "/api/v1/items", {"rawText": f"Text {number}."}, **{"Idempotency-Key": f"key-{number}"}
        )

    def capture_until_stored(self, number: int) -> str:
        """Send it again with its key until it is stored, and return its id."""
        until(lambda: self.capture(number).status in (200, 201))
        return str(self.capture(number).body["id"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server is the module's own, because ALTER SYSTEM changes all its databases."""
    with throwaway_folder() as folder, running_postgres(folder / "postgres", fsync=False) as url:
        assert manage(url, "migrate", "-v0").returncode == 0
        yield url


@pytest.fixture
def watcher(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(url, autocommit=True) as watcher:
        yield watcher


@contextmanager
def client_of(url: str, folder: Path, *, owner: str, statement_seconds: str) -> Iterator[Client]:
    token = manage(url, "create_token", owner, "--create-user", "--name", "test").stdout.split()[-1]
    environment = {"DATABASE_URL": url, "LITEVAULT_STATEMENT_SECONDS": statement_seconds}
    environment |= {"LITEVAULT_REQUESTS_AT_ONCE": "1000"}
    start: CommandStarter
    with starting(folder) as start, web_server(start, token=token, more=THREADS, **environment) as web:
        yield Client(web.port, token, web.metrics)


@contextmanager
def standby_away(watcher: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    watcher.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    watcher.execute("SELECT pg_reload_conf()")
    until(lambda: watcher.execute("SHOW synchronous_standby_names").fetchone() == ("nobody",))
    try:
        yield
    finally:
        watcher.execute("ALTER SYSTEM RESET synchronous_standby_names")
        watcher.execute("SELECT pg_reload_conf()")


def waiting(watcher: psycopg.Connection[tuple[Any, ...]]) -> int:
    (count,) = watcher.execute(WAITING).fetchone() or (0,)
    return int(count)


def finished(answers: list[Future[Answer]]) -> list[Answer]:
    return [answer.result() for answer in answers if answer.done()]


def test_probes_are_answered_while_commits_wait(
    url: str, watcher: psycopg.Connection[tuple[Any, ...]], tmp_path: Path
) -> None:
    with (
        client_of(url, tmp_path, owner="probed", statement_seconds=NEVER) as client,
        ThreadPoolExecutor(CAPTURES) as pool,
    ):
        with standby_away(watcher):
            answers = [pool.submit(client.capture, number) for number in range(CAPTURES)]
            until(lambda: waiting(watcher) == POOL_CONNECTIONS)
            alive = client.send("GET", "/healthz")
            until(lambda: len(finished(answers)) == CAPTURES - POOL_CONNECTIONS)
            until(lambda: client.send("GET", "/readyz").body["checks"]["writable"] == "failed")
            metrics = client.metrics()
            refused = finished(answers)
            still_waiting = waiting(watcher)
        stored = Counter(answer.result().status for answer in answers)
        ids = {f"Text {number}.": client.capture_until_stored(number) for number in range(CAPTURES)}

    assert alive.status == 200
    assert "litevault_database_writable 0.0" in metrics
    assert {(answer.status, answer.retry_after) for answer in refused} == {(503, "5")}
    assert still_waiting == POOL_CONNECTIONS, "the probes did not wait for the end of a commit"
    assert stored == {201: POOL_CONNECTIONS, 503: CAPTURES - POOL_CONNECTIONS}
    assert sorted(watcher.execute(STORED, ["probed"]).fetchall()) == sorted(ids.items())


def test_captures_end_and_are_repeated_without_a_double(
    url: str, watcher: psycopg.Connection[tuple[Any, ...]], tmp_path: Path
) -> None:
    with (
        client_of(url, tmp_path, owner="repeating", statement_seconds="1") as client,
        ThreadPoolExecutor(CAPTURES) as pool,
    ):
        before = client.capture(CAPTURES)
        with standby_away(watcher):
            first = list(pool.map(client.capture, range(CAPTURES)))
            waiting_after_the_first = waiting(watcher)
            again = list(pool.map(client.capture, range(CAPTURES)))
            waiting_after_the_second = waiting(watcher)
            listed = client.send("GET", "/api/v1/items")
            alive = client.send("GET", "/healthz")
        ids = {f"Text {number}.": client.capture_until_stored(number) for number in range(CAPTURES + 1)}

    assert {(answer.status, answer.retry_after) for answer in first + again} == {(503, "5")}
    assert waiting_after_the_first <= 2 * POOL_CONNECTIONS
    assert waiting_after_the_second <= waiting_after_the_first + 3, "they do not pile up, but for trials"
    assert (listed.status, alive.status) == (200, 200)
    assert [item["id"] for item in listed.body["items"]] == [before.body["id"]], "reads go on, without a lost write"
    assert sorted(watcher.execute(STORED, ["repeating"]).fetchall()) == sorted(ids.items())

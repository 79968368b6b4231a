"""`manage.py up`, which is what `make run` calls: started, used over HTTP, and stopped in every way."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # it carries no types
import psycopg
import pytest
from django.core.management import CommandError

from enrichment.management.supervisor import STOP_SIGNALS, Supervisor
from litevault.development.management.commands.up import Command, embedded_server_check
from postgres.embedded.embedded import running_postgres, serves
from tests.clones import bare_environment, fresh_clone
from tests.embedded import throwaway_folder
from tests.litevault.events.client import Listening
from tests.plugins.commands import CommandStarter, Started
from tests.plugins.tiers import first_usual
from tests.ports import free_port
from tests.processes import descendants, keeper, kill, named, postmaster, survivors
from tests.waiting import PATIENCE_SECONDS, until

HEADERS = {"X-Dev-User-Id": "demo", "Content-Type": "application/json"}
TEXT = "A trigger calls NOTIFY. The worker listens, and wakes up at once."


@pytest.fixture
def clone() -> Iterator[Path]:
    with fresh_clone() as folder:
        yield folder


def call(port: int, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, HEADERS)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def status_of(item: dict[str, str], port: int) -> str:
    status: str = call(port, "GET", f"items/{item['id']}")["status"]
    return status


def output(tmp_path: Path, number: int = 0) -> str:
    return (tmp_path / f"process-{number}.log").read_text()


def until_ready(up: subprocess.Popen[str], read: Callable[[], str]) -> None:
    until(lambda: "Ctrl-C stops all of it" in read() or up.poll() is not None)
    assert up.poll() is None, read()


def test_text_is_enriched_and_streamed_and_ctrl_c_stops_all(start: CommandStarter, tmp_path: Path, port: int) -> None:
    up = start("up", "--port", str(port), LITEVAULT_DEBUG="")
    until_ready(up, lambda: output(tmp_path))

    with events_of(port) as stream:
        item = call(port, "POST", "items", {"rawText": TEXT})
        stream.until("READY_TO_CONFIRM", item["id"])
        family = descendants(up)
        up.send_signal(signal.SIGINT)
        assert up.wait(PATIENCE_SECONDS) == 0

    assert not survivors(family)
    shown = output(tmp_path)
    assert f"http://127.0.0.1:{port}/api/v1/items" in shown
    assert re.search(rf"http://127.0.0.1:{port}/admin/  \(user admin, password \S+\)", shown)
    assert "listener │ " in shown
    assert shown.endswith("Stopped.\n")


def events_of(port: int) -> Listening:
    """Open a stream in the events process, to which the web server redirects."""
    headers = {**HEADERS, "Origin": f"http://127.0.0.1:{port}"}
    web = Listening(port, **headers)
    web.close()
    address = urlsplit(web.answer.headers["Location"])
    stream = Listening(address.port or 0, path=address.path, **headers)
    assert (web.answer.status, address.hostname, address.path) == (307, "127.0.0.1", "/api/v1/events")
    assert stream.answer.headers["Access-Control-Allow-Origin"] == headers["Origin"]
    assert stream.answer.headers["Access-Control-Allow-Credentials"] == "true"
    return stream


@pytest.mark.thorough
def test_child_that_dies_ends_all_with_its_exit_code(start: CommandStarter, tmp_path: Path, port: int) -> None:
    up = start("up", "--port", str(port), "--no-listener")
    until_ready(up, lambda: output(tmp_path))
    family = descendants(up)

    (web,) = (child for child in psutil.Process(up.pid).children() if "wsgi" in child.cmdline())
    kill(web)

    assert up.wait(PATIENCE_SECONDS) == 128 + signal.SIGKILL
    assert "Stopped: web ended with exit code 137" in output(tmp_path)
    until(lambda: not survivors(family))


def test_port_in_use_is_one_sentence(start: CommandStarter, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        up = start("up", "--port", str(port))

        assert up.wait(PATIENCE_SECONDS) == 1
    assert f"Port {port} is in use." in output(tmp_path)
    assert "make run PORT=" in output(tmp_path)
    assert "Traceback" not in output(tmp_path)


def test_web_server_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr("litevault.development.management.commands.up.READY_SECONDS", 0)

    with Supervisor([]) as supervisor, pytest.raises(CommandError, match="were not ready"):
        Command().supervise(supervisor, "never shown", endpoints=[(port, "/healthz")], database_is_gone=lambda: False)


def test_database_that_ends_during_the_start_is_not_waited_for(capsys: pytest.CaptureFixture[str], port: int) -> None:
    with Supervisor([]) as supervisor:
        endpoints = [(port, "/healthz")]

        assert (
            Command().supervise(supervisor, "never shown", endpoints=endpoints, database_is_gone=lambda: True) is None
        )

    assert not capsys.readouterr().out


@pytest.mark.parametrize("port", first_usual("0", "65536", "eighty"))
def test_port_that_does_not_exist_is_refused(start: CommandStarter, tmp_path: Path, port: str) -> None:
    up = start("up", "--port", port)

    assert up.wait(PATIENCE_SECONDS) == 2
    assert "a port is a number from 1 to 65535" in output(tmp_path)


@contextmanager
def running_clone(clone: Path, port: int, *options: str) -> Iterator[Started]:
    """Run `up` in a clone, and wait until it is ready."""
    with (clone / f"up-{port}.log").open("w") as log:
        up = Started(
            [sys.executable, "manage.py", "up", "--port", str(port), *options],
            cwd=clone,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
    up.log = Path(log.name)
    with up:
        try:
            until_ready(up, up.log.read_text)
            yield up
        finally:
            up.terminate()


@pytest.mark.thorough
def test_data_and_login_are_found_again_after_every_end(clone: Path, port: int) -> None:
    with running_clone(clone, port) as up:
        item = call(port, "POST", "items", {"rawText": TEXT})
        until(lambda: status_of(item, port) == "READY_TO_CONFIRM")
        kill(up)
    until(lambda: not named(clone))
    login = re.search(r"\(user admin, password .*\)", up.log.read_text())

    with running_clone(clone, port, "--no-listener") as up:
        found = call(port, "GET", f"items/{item['id']}")
        up.terminate()
        assert up.wait(PATIENCE_SECONDS) == 0

    assert not named(clone)
    assert found["rawText"] == TEXT
    assert login
    assert login[0] in up.log.read_text()
    assert (clone / "var" / "admin-password").stat().st_mode & 0o077 == 0


def assert_it_ended_with_its_database(up: Started, clone: Path) -> None:
    assert up.wait(PATIENCE_SECONDS) == 1
    (sentence,) = (line for line in up.log.read_text().splitlines() if line.startswith("CommandError: "))
    assert "Stopped: the embedded PostgreSQL has ended." in sentence
    assert str(clone / "var" / "postgres" / "server.log") in sentence
    assert "Stopped." not in up.log.read_text()


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the server outlives its keeper until the next start")
def test_all_end_with_the_keeper_of_the_embedded_server(clone: Path, port: int) -> None:
    with running_clone(clone, port, "--no-listener") as up:
        family = [*descendants(up), *named(clone)]

        kill(keeper(clone / "var" / "postgres"))

        assert_it_ended_with_its_database(up, clone)
        assert not survivors(family)


@pytest.mark.thorough
def test_two_end_with_their_embedded_server_and_lose_nothing(clone: Path, port: int) -> None:
    with (
        running_clone(clone, port, "--no-listener") as one,
        running_clone(clone, free_port(), "--no-listener") as other,
    ):
        item = call(port, "POST", "items", {"rawText": TEXT})

        kill(postmaster(clone / "var" / "postgres"))

        for up in (one, other):
            assert_it_ended_with_its_database(up, clone)
        assert not named(clone)
    with running_postgres(clone / "var" / "postgres") as url, psycopg.connect(url) as database:
        assert database.execute("SELECT raw_text FROM items WHERE id = %s", (item["id"],)).fetchone() == (TEXT,)


@pytest.mark.thorough
def test_stopping_one_of_several_leaves_the_embedded_server(clone: Path) -> None:
    """Neither the one that stops nor those that go on end the server."""
    with ExitStack() as stack:
        ups = [stack.enter_context(running_clone(clone, free_port(), "--no-listener")) for _ in STOP_SIGNALS]

        for up, sign in zip(ups, STOP_SIGNALS, strict=True):
            up.send_signal(sign)

            assert up.wait(PATIENCE_SECONDS) == 0
            assert up.log.read_text().endswith("Stopped.\n")
        assert not named(clone)


def test_end_of_a_server_that_the_user_chose_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway_folder() as folder, running_postgres(folder / "postgres", fsync=False) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        is_gone = embedded_server_check()

        kill(postmaster(folder / "postgres"))
        until(lambda: not serves(url, folder / "postgres"))

        assert not is_gone()

"""`enrich_listener --metrics-port`: the metrics of real processes, over HTTP."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from tests.database import reaches
from tests.plugins.commands import CommandStarter, ListenerStarter
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_listener_tells_what_it_did_and_that_it_is_well(owner: User, start_listener: ListenerStarter) -> None:
    port = free_port()
    start_listener("--metrics-port", str(port))
    reaches(Item.objects.capture(owner=owner, raw_text="Some text to enrich."), Status.READY_TO_CONFIRM)

    until(
        lambda: (
            'litevault_attempts_total{error_code="",error_reason="",outcome="SUCCEEDED"} 1.0'
            in ask(port, "/metrics")[1]
        )
    )

    told = ask(port, "/metrics")[1]
    assert "litevault_notify_healthy 1.0" in told
    assert 'litevault_attempt_duration_seconds_bucket{le="300.0",outcome="SUCCEEDED"} 1.0' in told
    assert "process_resident_memory_bytes" in told
    assert "Some text" not in told
    assert [ask(port, path) for path in ("/healthz", "/readyz")] == [(200, '{"status": "ok"}\n')] * 2
    assert ask(port, "/anything")[0] == 404


def test_listener_of_a_silent_database_is_alive_but_not_ready(start: CommandStarter, tmp_path: Path) -> None:
    port = free_port()
    process = start(
        "enrich_listener", "--metrics-port", str(port), LITEVAULT_LISTEN_DATABASE_URL="postgresql://127.0.0.1:1/none"
    )
    until(lambda: "listener.degraded" in process.log.read_text() or process.poll() is not None)

    answers = {path: ask(port, path)[0] for path in ("/healthz", "/readyz")}

    assert answers == {"/healthz": 200, "/readyz": 503}


def test_each_of_several_processes_has_a_port_of_its_own(start: CommandStarter) -> None:
    port = free_port()
    process = start("enrich_listener", "--processes", "2", "--metrics-port", str(port))

    until(lambda: process.log.read_text().count("listener.connected") == 2 or process.poll() is not None)

    assert [ask(port + number, "/readyz")[0] for number in range(2)] == [200, 200]


def test_port_that_is_taken_ends_the_start_with_a_sentence(start: CommandStarter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("enrich_listener", "--metrics-port", str(taken.getsockname()[1]))

        assert process.wait(PATIENCE_SECONDS) == 1

    assert "is not available: Address already in use." in process.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--metrics-port", "65536"), "must be a whole number from 0 to 65535"),
        (("--metrics-port", "65535", "--processes", "2"), "--metrics-port is too high"),
        (("--metrics-address", "localhost"), "must be an IP address"),
    ],
)
def test_ports_that_make_no_sense_are_refused(start: CommandStarter, arguments: tuple[str, ...], sentence: str) -> None:
    process = start("enrich_listener", *arguments)

    assert process.wait(PATIENCE_SECONDS) != 0
    assert sentence in process.log.read_text()


def test_nothing_is_served_unless_it_is_asked_for(start_listener: ListenerStarter) -> None:
    process = start_listener()

    listening = [line for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines() if " 0A " in line]
    sockets = {link.readlink().name for link in Path(f"/proc/{process.pid}/fd").iterdir() if link.is_symlink()}

    assert any(name.startswith("socket:") for name in sockets), "it is connected to the database"
    assert not [line for line in listening if f"socket:[{line.split()[9]}]" in sockets]

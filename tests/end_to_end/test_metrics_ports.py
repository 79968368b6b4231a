"""The metrics ports of real web and events processes."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from django.contrib.auth.models import User

from tests.hardening.production import PRODUCTION, TWO_WORKERS
from tests.litevault.events.client import token_of
from tests.plugins.commands import CommandStarter
from tests.plugins.events import EventsStarter
from tests.ports import free_port
from tests.privacy.web import HOST, Web, web_server
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

POD = "10.1.2.3:9080"
COUNTED = re.compile(
    r'^litevault_http_requests_total\{method="GET",route="/api/v1/items",status="2xx"\} (\S+)$', re.MULTILINE
)


def ask(port: int, path: str, *, host: str = POD) -> tuple[int, str]:
    """Send a request as Prometheus and probes do: their Host is the address of the pod."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def counted(metrics_port: int) -> int:
    found = COUNTED.search(ask(metrics_port, "/metrics")[1])
    return int(float(found[1])) if found else 0


def workers_that_counted(folder: Path) -> int:
    return len(list(folder.glob("litevault-metrics-*/counter_*.db")))


def owner_of(port: int) -> psutil.Process:
    """Return the process that listens on the port."""
    (pid,) = {
        each.pid for each in psutil.net_connections("tcp4") if each.laddr.port == port and each.status == "LISTEN"
    }
    return psutil.Process(pid)


@pytest.fixture
def metrics_port() -> int:
    return free_port()


@pytest.fixture
def web(start: CommandStarter, owner: User, metrics_port: int, tmp_path: Path) -> Iterator[Web]:
    """Two workers, either of which may handle a request."""
    own = {"LITEVAULT_METRICS_PORT": str(metrics_port), "TMPDIR": str(tmp_path)}
    more = (*TWO_WORKERS, "--respawn-failed-workers", "--respawn-interval", "0.1")
    with web_server(start, token=token_of(owner), more=more, **PRODUCTION, **own) as web:
        until(lambda: ask(metrics_port, "/healthz")[0] == 200)
        yield web


def send_until_both_workers_counted(web: Web, folder: Path) -> int:
    sent = 0
    while workers_that_counted(folder) < 2:
        json.loads(web.call("GET", "/api/v1/items"))
        sent += 1
    return sent


def test_one_worker_serves_the_counts_of_both(web: Web, metrics_port: int, tmp_path: Path) -> None:
    sent = send_until_both_workers_counted(web, tmp_path)

    told = ask(metrics_port, "/metrics")[1]

    assert counted(metrics_port) == sent
    assert 'litevault_http_request_duration_seconds_count{method="GET",route="/api/v1/items"} ' in told
    assert "litevault_listeners 0.0" in told
    assert ask(metrics_port, "/healthz") == (200, '{"status": "ok"}\n')
    assert ask(metrics_port, "/readyz") == (503, ask(web.port, "/readyz", host=HOST)[1])


def test_public_port_has_no_metrics_but_health(web: Web) -> None:
    statuses = {path: ask(web.port, path, host=HOST)[0] for path in ("/metrics", "/healthz", "/readyz")}

    assert statuses == {"/metrics": 404, "/healthz": 200, "/readyz": 503}
    assert ask(web.port, "/healthz")[0] == 400


def test_port_and_counts_outlive_the_worker_that_serves(web: Web, metrics_port: int, tmp_path: Path) -> None:
    sent = send_until_both_workers_counted(web, tmp_path)
    first = owner_of(metrics_port)

    first.kill()
    until(lambda: counted(metrics_port) == sent)

    assert owner_of(metrics_port).pid != first.pid


def test_events_process_has_a_port_of_its_own(start_events: EventsStarter) -> None:
    metrics_port = free_port()
    events = start_events(**PRODUCTION, LITEVAULT_EVENTS_METRICS_PORT=str(metrics_port))

    statuses = {path: ask(metrics_port, path)[0] for path in ("/metrics", "/healthz", "/readyz", "/api/v1/events")}

    assert statuses == {"/metrics": 200, "/healthz": 200, "/readyz": 200, "/api/v1/events": 404}
    assert "litevault_event_streams 0.0" in ask(metrics_port, "/metrics")[1]
    assert ask(events.port, "/metrics", host=HOST)[0] == 404


def test_port_that_is_taken_is_logged_and_waited_for(start_events: EventsStarter) -> None:
    metrics_port = free_port()
    own = {"LITEVAULT_EVENTS_METRICS_PORT": str(metrics_port)}
    first = start_events(**own)
    second = start_events(**own)
    until(lambda: "metrics.port_unavailable" in second.log())

    first.stop()

    until(lambda: ask(metrics_port, "/readyz")[0] == 200)
    assert second.log().count("metrics.port_unavailable") == 1

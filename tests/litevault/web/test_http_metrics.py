"""What is counted of each request, and which workers share it."""

import os
import tempfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from litevault.web import http_metrics
from litevault.web.worker_folder import FOLDER_VARIABLE, WorkerFolder
from tests.items.factories import make_item


def counted() -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for metric in http_metrics.requests.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.value
    }


def counted_for(client: Client, method: str, path: str) -> set[tuple[str, str, str]]:
    """Return what one request adds to."""
    before = counted()
    client.generic(method, path)
    return {labels for labels, value in counted().items() if value - before.get(labels, 0) == 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/api/v1/items?q=words", ("GET", "/api/v1/items", "2xx")),
        ("GET", "/api/v1/items/{item}", ("GET", "/api/v1/items/<str:item_id>", "2xx")),
        ("POST", "/api/v1/items", ("POST", "/api/v1/items", "4xx")),
        ("GET", "/", ("GET", "/", "3xx")),
        ("GET", "/anything/at/all", ("GET", "unmatched", "4xx")),
        ("GET", "/static/nothing.css", ("GET", "unmatched", "4xx")),
        ("PROPFIND", "/login", ("other", "/login", "4xx")),
    ],
)
def test_request_counts_under_its_route(owner: User, method: str, path: str, labels: tuple[str, str, str]) -> None:
    client = Client()
    client.force_login(owner)

    assert counted_for(client, method, path.format(item=make_item(owner).pk)) == {labels}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_counted(path: str) -> None:
    assert counted_for(Client(), "GET", path) == set()


def test_refused_host_is_counted() -> None:
    before = counted().get(("GET", "unmatched", "4xx"), 0)

    Client().get("/login", headers={"Host": "10.1.2.3"})

    assert counted()["GET", "unmatched", "4xx"] == before + 1


def test_failures_of_a_route_begin_at_zero() -> None:
    Client().get("/anything/at/all")

    found = {
        tuple(sample.labels.values()): sample.value
        for metric in http_metrics.requests.collect()
        for sample in metric.samples
    }

    assert found["unmatched", "GET", "5xx"] == 0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    return tmp_path


def leave(folder: WorkerFolder) -> None:
    """Let go of the locks, as the end of the process does."""
    folder._turn.close()
    folder._workers.close()


def test_first_worker_empties_the_folder_and_the_next_keep_it(temporary: Path) -> None:
    first = WorkerFolder(9080)
    counts = first.path / "counter_1.db"
    counts.touch()

    second = WorkerFolder(9080)
    leave(first)
    third = WorkerFolder(9080)
    is_kept = counts.exists()
    leave(second)
    leave(third)
    again = WorkerFolder(9080)

    leave(again)
    assert is_kept
    assert not counts.exists()
    assert os.environ[FOLDER_VARIABLE] == str(again.path)


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("/")], ids=["file", "link"])
def test_folder_of_others_is_refused(temporary: Path, make: object) -> None:
    make(temporary / f"litevault-metrics-{os.getuid()}-9080")  # type: ignore[operator]

    with pytest.raises(ImproperlyConfigured, match=r"LITEVAULT_METRICS_PORT needs the folder .* for itself\."):
        WorkerFolder(9080)

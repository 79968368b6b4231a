"""The Procfile's processes, with production settings."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from litevault.accounts.models import ApiToken
from tests.database import database_url, reaches
from tests.deploy.test_files import ROOT, procfile
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


def environment(**ports: int) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    return {
        **plain,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": database_url(),
        "LITEVAULT_SECRET_KEY": "for this test only, but as long and mixed as a real one",
        "LITEVAULT_ALLOWED_HOSTS": "127.0.0.1",
        "LITEVAULT_LLM_PROVIDER": "stub",
        **{name: str(port) for name, port in ports.items()},
    }


@contextmanager
def running(command: str, log: Path, variables: dict[str, str]) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"], cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def is_alive(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def capture(port: int, token: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/items",
        data=json.dumps({"rawText": "Tides rise and fall. The moon pulls at the sea."}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # our own address
        return str(json.load(answer)["id"])


def test_all_of_it_starts_and_enriches(owner: User, tmp_path: Path) -> None:
    ports = {"PORT": free_port(), "EVENTS_PORT": free_port(), "METRICS_PORT": free_port()}
    ports |= {"LITEVAULT_METRICS_PORT": free_port(), "LITEVAULT_EVENTS_METRICS_PORT": free_port()}
    variables = environment(**ports)
    token = ApiToken.objects.issue(user=owner, name="test")[1]
    commands = procfile()
    subprocess.run(["/bin/sh", "-c", commands.pop("release")], cwd=ROOT, env=variables, check=True, capture_output=True)

    with ExitStack() as stack:
        for name, command in commands.items():
            stack.enter_context(running(command, tmp_path / name, variables))
        for port in ports.values():
            until(lambda port=port: is_alive(port))  # type: ignore[misc]  # a default that binds
        item = Item.objects.get(pk=capture(ports["PORT"], token))

        item = reaches(item, Status.READY_TO_CONFIRM)

    assert item.title

"""The rule for nginx in docs/operations.md: a real proxy before a real web server and events process."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from items.states import Status
from items.texts import raw_text_max_length
from litevault.operations.doctor import events
from litevault.operations.doctor.web import headers
from tests.deploy.test_files import ROOT
from tests.hardening.production import PRODUCTION
from tests.items.factories import make_item
from tests.litevault.events.client import Listening, token_of
from tests.plugins.commands import CommandStarter
from tests.plugins.events import EventsStarter
from tests.ports import free_port
from tests.privacy.web import Web, web_server
from tests.waiting import PATIENCE_SECONDS, until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SIZE = re.compile(r"`(client_max_body_size \w+;)`")
RULE = re.compile(r"`(location = /api/v1/events \{.*?\})`", re.DOTALL)
CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_buffer_size 2m;  # started by root, nginx may not write into the folder of the test
    proxy_max_temp_file_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {size}
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-Proto https;
        location / {{ proxy_pass {web}; proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto https; }}
        {rule}
    }}
}}
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not NGINX, reason="nginx is not installed: apt install nginx-light"),
]


def rule_of_the_page(port: int) -> str:
    """Return the rule of docs/operations.md, with the headers that its text names and this test's ports."""
    (rule,) = RULE.findall((ROOT / "docs" / "operations.md").read_text())
    headers = "proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto https; }"
    return str(rule).replace("127.0.0.1:8081", f"127.0.0.1:{port}").removesuffix("}") + headers


@contextmanager
def nginx(folder: Path, *, web: str, rule: str) -> Iterator[str]:
    port = free_port()
    configuration = folder / "nginx.conf"
    (size,) = SIZE.findall((ROOT / "docs" / "operations.md").read_text())
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, size=size, web=web, rule=rule))
    with (folder / "nginx.log").open("w") as log:
        process = subprocess.Popen([str(NGINX), "-p", folder, "-c", configuration], stdout=log, stderr=log)
    try:
        until(lambda: Web(port, token="").answers() or process.poll() is not None)
        assert process.poll() is None, (folder / "nginx.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_proxy_passes_events_unbuffered_and_the_rest_to_the_web(
    start: CommandStarter,
    start_events: EventsStarter,
    owner: User,
    tmp_path: Path,
) -> None:
    token = token_of(owner)
    process = start_events(**PRODUCTION)
    with (
        web_server(start, token=token, **PRODUCTION) as web,
        nginx(tmp_path, web=web.address, rule=rule_of_the_page(process.port)) as address,
    ):
        port = int(address.rpartition(":")[2])
        with Listening(port, Authorization=f"Bearer {token}") as stream:
            item = make_item(owner, status=Status.FAILED)
            told = stream.until(Status.FAILED, item.pk)
        listed = Web(port, token=token).call("GET", f"/api/v1/items/{item.pk}")
        metrics = json.loads(Web(port, token=token).call("GET", "/metrics"))
        found = events.proxy(url=address)
        ambiguous = headers(url=address)

    assert told["id"] in listed
    assert metrics["error"]["code"] == "NOT_FOUND"
    assert found.is_ok, found
    assert ambiguous.is_ok, ambiguous


def test_proxy_passes_the_longest_text(start: CommandStarter, owner: User, tmp_path: Path) -> None:
    text = "\U0001f642" * raw_text_max_length()
    with (
        web_server(start, token="", **PRODUCTION) as web,
        nginx(tmp_path, web=web.address, rule="") as address,
    ):
        response = Web(int(address.rpartition(":")[2]), token=token_of(owner)).call(
            "POST", "/api/v1/items", {"rawText": text}
        )

    assert json.loads(response)["rawText"] == text


def test_doctor_finds_what_is_wrong_behind_a_proxy(
    start: CommandStarter,
    tmp_path: Path,
) -> None:
    with web_server(start, token="", **PRODUCTION) as web:
        with nginx(tmp_path, web=web.address, rule="") as address:
            without_rule = events.proxy(url=address)
        with nginx(tmp_path, web=web.address, rule=rule_of_the_page(free_port())) as address:
            without_process = events.proxy(url=address)
    with nginx(tmp_path, web=f"http://127.0.0.1:{free_port()}", rule="") as address:
        without_web_server = events.proxy(url=address)

    assert "does not lead to the events process" in without_rule.detail
    assert "/api/v1/events answers 502" in without_process.detail
    assert "/healthz answers 502" in without_web_server.detail

"""A client that openapi-python-client generates from the OpenAPI document, used against a real server.

The generator needs an older typer than ours, so that it is installed into an environment of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from items.states import Status
from litevault.accounts.models import ApiToken
from tests.items.factories import make_item
from tests.openapi import document

pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

LOCK = Path(settings.BASE_DIR) / "requirements" / "client.txt"
PATIENCE_SECONDS = 300
CALLS = """
import sys
from litevault_client import AuthenticatedClient
from litevault_client.api.capture import capture_item
from litevault_client.api.find import list_items
from litevault_client.api.review import change_item, get_item
from litevault_client.models import Capture, Change, ChangeAction, Error, ListItemsStatus, Status

address, token, ready = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token)
item = capture_item.sync(client=client, body=Capture(raw_text="Beans need warm soil."))
assert item.status == Status.ENRICHING, item
assert get_item.sync(item.id, client=client).raw_text == "Beans need warm soil."
assert change_item.sync(ready, client=client, body=Change(action=ChangeAction.CONFIRM)).status == Status.ARCHIVED
page = list_items.sync(client=client, status=ListItemsStatus.ARCHIVED)
assert [str(each.id) for each in page.items] == [ready], page
refused = change_item.sync(ready, client=client, body=Change(action=ChangeAction.CONFIRM))
assert isinstance(refused, Error) and refused.error.details.current_state == Status.ARCHIVED, refused
stranger = list_items.sync(client=AuthenticatedClient(base_url=address, token="lv_wrong"))
assert stranger.error.code == "UNAUTHORIZED", stranger
"""


def run(*command: object) -> None:
    ran = subprocess.run(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the generator and the generated client."""
    folder = tmp_path_factory.mktemp("client")
    python = folder / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", folder / "venv")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if installed.returncode:
        pytest.skip("PyPI is not reachable, so that the generator of clients cannot be installed.")
    (folder / "schema.json").write_text(json.dumps(document()))
    (folder / "config.yml").write_text("project_name_override: litevault-client\npost_hooks: []\n")
    generate = [python, "-m", "openapi_python_client", "generate", "--path", folder / "schema.json"]
    run(*generate, "--config", folder / "config.yml", "--output-path", folder / "made", "--fail-on-warning")
    (folder / "made" / "use.py").write_text(CALLS)
    return python


def test_generated_client_captures_confirms_and_reads_errors(
    python: Path, live_server: LiveServer, owner: User
) -> None:
    _, secret = ApiToken.objects.issue(user=owner, name="client")
    ready = make_item(owner, status=Status.READY_TO_CONFIRM)

    run(python, python.parents[2] / "made" / "use.py", live_server.url, secret, ready.pk)

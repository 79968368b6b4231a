"""Schemathesis tests the API against its OpenAPI document, over HTTP, with all of its checks.

`make soak` tries more examples. SCHEMATHESIS_SEED=7 chooses others.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User

from items.models import Item
from items.states import Status
from litevault.accounts.models import ApiToken
from tests.hardening.production import PRODUCTION
from tests.items.factories import make_item
from tests.plugins.commands import CommandStarter
from tests.privacy.web import web_server

FOLDER = Path(__file__).parent
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("examples", [3, pytest.param(200, marks=pytest.mark.soak)])
def test_api_does_what_its_document_says(owner: User, start: CommandStarter, tmp_path: Path, examples: int) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    owner.user_permissions.add(Permission.objects.get(codename="pause_enrichment"))
    token = ApiToken.objects.issue(user=owner, name="schemathesis")[1]
    items = [make_item(owner, status=status) for status in Status for _ in range(20)]

    with web_server(start, token=token, **PRODUCTION) as web:
        ended = subprocess.run(
            command(web.address, token, examples),
            cwd=tmp_path,
            env={**os.environ, **environment(items)},
            capture_output=True,
            text=True,
            check=False,
        )

    sys.stdout.write(ended.stdout)  # shown by pytest -rP
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "14 selected / 14 total" in ended.stdout


def command(base: str, token: str, examples: int) -> list[str]:
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    config = ["--config-file", str(FOLDER / "schemathesis.toml")]
    options = ["--header", f"Authorization: Bearer {token}", "--checks", "all", "--max-examples", str(examples)]
    repeatable = ["--seed", SEED, "--generation-database", "none", "--continue-on-failure"]
    return [*schemathesis, *config, "run", f"{base}/api/v1/schema", *options, *repeatable]


def environment(items: list[Item]) -> dict[str, str]:
    return {
        "SCHEMATHESIS_HOOKS": "tests.hardening.schemathesis_hooks",
        "SCHEMATHESIS_ITEM_IDS": json.dumps([str(item.id) for item in items]),
        "PYTHONPATH": str(FOLDER.parents[1]),
    }

"""export_items and import_items, called and as processes."""

import os
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from items.exchange.record import ItemRecord
from tests.database import database_url

FIELDS = [name for name in ItemRecord.model_fields if name != "id"]


def contents(owner: User) -> dict[UUID, list[object]]:
    return {item.pk: [getattr(item, name) for name in FIELDS] for item in owner.items.all()}


def export(*arguments: object) -> None:
    call_command("export_items", *map(str, arguments), "--owner", "owner")


def bring_back(capsys: pytest.CaptureFixture[str], *arguments: object, exit_code: int = 0, owner: str = "owner") -> str:
    try:
        call_command("import_items", *map(str, arguments), "--owner", owner)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    report = capsys.readouterr().out
    assert code == exit_code, report
    return report


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "LITEVAULT_DEBUG": "true", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )

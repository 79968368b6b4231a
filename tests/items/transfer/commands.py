"""capture, export_items and import_items, called in this process and as processes of their own."""

import io
import os
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from items.models import Item
from items.transfer.records import ItemRecord
from tests.database import database_url

PATIENCE_SECONDS = 60
ADVICE = "A capture with --once can be run again to continue."
FIELDS = [name for name in ItemRecord.model_fields if name != "id"]


def capture(*arguments: object, **options: object) -> str:
    """Return the summary. Raises SystemExit if anything was left out."""
    summary = io.StringIO()
    call_command("capture", *map(str, arguments), stdout=summary, stderr=io.StringIO(), **options)
    return summary.getvalue()


def capture_incompletely(*arguments: object, exit_code: int = 1) -> tuple[str, str]:
    """Check the exit code, and return standard output and standard error."""
    summary, errors = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("capture", *map(str, arguments), stdout=summary, stderr=errors)
    assert stopped.value.code == exit_code
    return summary.getvalue(), errors.getvalue()


def export_items(*arguments: object) -> None:
    call_command("export_items", *map(str, arguments), "--owner", "owner")


def import_items(
    capsys: pytest.CaptureFixture[str], *arguments: object, exit_code: int = 0, owner: str = "owner"
) -> str:
    """Check the exit code, and return the summary."""
    try:
        call_command("import_items", *map(str, arguments), "--owner", owner)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    summary = capsys.readouterr().out
    assert code == exit_code, summary
    return summary


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "LITEVAULT_DEBUG": "true", "LC_ALL": "C"},
        **{**pipes, **options},
    )


def raw_texts() -> list[str]:
    return list(Item.objects.order_by("created_at", "id").values_list("raw_text", flat=True))


def contents(owner: User) -> dict[UUID, list[object]]:
    return {item.pk: [getattr(item, name) for name in FIELDS] for item in owner.items.all()}

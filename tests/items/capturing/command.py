"""manage.py capture, called and as a process."""

import io
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from items.models import Item
from tests.database import database_url

PATIENCE_SECONDS = 90
ADVICE = "With --once the same can be run again, and goes on."


def capture(*arguments: object, **options: object) -> str:
    """Run the command and return its report. Raises SystemExit when something was left out."""
    report = io.StringIO()
    call_command("capture", *map(str, arguments), stdout=report, stderr=io.StringIO(), **options)
    return report.getvalue()


def capture_incompletely(*arguments: object, exit_code: int = 1) -> tuple[str, str]:
    """Run the command, check its exit code and return what it wrote to standard output and standard error."""
    report, complaints = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("capture", *map(str, arguments), stdout=report, stderr=complaints)
    assert stopped.value.code == exit_code
    return report.getvalue(), complaints.getvalue()


def start(*arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "capture", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "LITEVAULT_DEBUG": "true"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


def raw_texts() -> list[str]:
    return list(Item.objects.order_by("created_at").values_list("raw_text", flat=True))

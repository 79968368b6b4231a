"""The memory of processes that read many of the longest texts, as far as it grows beyond that for a short one."""

import json
import re
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from tests.hardening.production import PRODUCTION
from tests.litevault.events.client import token_of
from tests.plugins.commands import CommandStarter
from tests.privacy.web import web_server
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

LENGTH, NUMBER = 1_000_000, 30
EMOJI = "\U0001f642"
LONGEST = {"LITEVAULT_TEXT_MAX_LENGTH": str(LENGTH)}
ALLOWED = 150 * 2**20
MEASURED = """
import runpy
try:
    runpy.run_path("manage.py", run_name="__main__")
finally:
    print(open("/proc/self/status").read())
"""


@pytest.fixture
def owners() -> tuple[User, User]:
    """One with a short text, and one with many that are as long as can be."""
    short, long = (User.objects.create_user(name) for name in ("short", "long"))
    Item.objects.capture(owner=short, raw_text="short")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO items (owner_id, raw_text) SELECT %s, repeat(%s, %s) FROM generate_series(1, %s)",
            [long.pk, EMOJI, LENGTH, NUMBER],
        )
    return short, long


def peak_of(start: CommandStarter, *arguments: str) -> int:
    """Run a command to its end, and return the most memory that it had."""
    process = start(*arguments, program=("-c", MEASURED), **LONGEST)
    assert process.wait(PATIENCE_SECONDS) == 0, process.log.read_text()
    return peak_in(process.log.read_text())


def peak_in(text: str) -> int:
    """Return the peak of a process in bytes. That of getrusage includes the time before exec."""
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    return int(kilobytes) * 1024


def test_export_and_import_need_little_memory(owners: tuple[User, User], start: CommandStarter, tmp_path: Path) -> None:
    targets = {owner.username: str(tmp_path / f"{owner.username}.jsonl") for owner in owners}

    exports = [peak_of(start, "export_items", target, "--owner", name) for name, target in targets.items()]
    Item.objects.all().delete()
    imports = [peak_of(start, "import_items", target, "--owner", name) for name, target in targets.items()]

    assert Item.objects.owned_by(owners[1]).filter(raw_text=EMOJI * LENGTH).count() == NUMBER
    assert exports[1] - exports[0] < ALLOWED
    assert imports[1] - imports[0] < ALLOWED


def test_capture_needs_little_memory(owner: User, start: CommandStarter, tmp_path: Path) -> None:
    short, long = tmp_path / "short.txt", tmp_path / "long.txt"
    short.write_text("short")
    with long.open("w") as file:
        file.writelines(f"{number:02}{EMOJI * (LENGTH - 2)}\n" for number in range(NUMBER))

    peaks = [peak_of(start, "capture", "--each-line", "--once", str(path)) for path in (short, long)]

    assert Item.objects.count() == 1 + NUMBER
    assert peaks[1] - peaks[0] < ALLOWED


def test_web_server_needs_little_memory(owners: tuple[User, User], start: CommandStarter) -> None:
    short, long = (token_of(owner) for owner in owners)
    with web_server(start, token=short, **PRODUCTION, **LONGEST) as web:
        (worker,) = (
            child
            for parent in psutil.Process().children()
            if str(web.port) in parent.cmdline()
            for child in parent.children()
        )
        status = Path(f"/proc/{worker.pid}/status")
        web.call("GET", "/api/v1/items")
        before = peak_in(status.read_text())
        authorization = f"Bearer {long}"
        listed = json.loads(web.call("GET", "/api/v1/items?limit=100", Authorization=authorization))
        page = web.call("GET", "/api/v1/items?limit=100", Authorization=authorization, Accept="text/html")
        captured = web.call("POST", "/api/v1/items", {"rawText": EMOJI * LENGTH}, Authorization=authorization)
        growth = peak_in(status.read_text()) - before

    assert [each["rawText"] for each in listed["items"]] == [EMOJI * 10_000] * NUMBER
    assert "</html>" in page
    assert json.loads(captured)["rawText"] == EMOJI * LENGTH
    assert growth < ALLOWED

"""docs/tutorial.md: every command on the page is typed, in a fresh clone."""

import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litevault.development.management.commands.up import READY_SECONDS
from postgres.embedded.embedded import PROJECT
from tests.clones import bare_environment, fresh_clone
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until, wait

PAGE = (PROJECT / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r"^```(sh|bash)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MAKE_RUN = ".venv/bin/python manage.py up --port 8080"


@pytest.fixture
def clone() -> Iterator[Path]:
    """One in which `make setup` has been run."""
    with fresh_clone() as folder:
        (folder / ".venv").symlink_to(sys.prefix)
        for part in ("docs", "tests"):
            shutil.copytree(PROJECT / part, folder / part)
        yield folder


class Reader:
    """Types in several terminals: one for `make run`, one for each other program that runs on, and one for the rest."""

    def __init__(self, clone: Path, port: int) -> None:
        self.clone = clone
        self.port = port
        self.ports = {"8080": str(port), "8900": str(free_port())}
        self.programs: list[subprocess.Popen[str]] = []
        self.service: subprocess.Popen[str] | None = None
        self.shell = self.terminal("/bin/sh", "-e")

    def terminal(self, *command: str) -> subprocess.Popen[str]:
        log = self.clone / f"terminal-{len(self.programs)}.log"
        with log.open("w") as output:
            program = subprocess.Popen(
                command,
                cwd=self.clone,
                env=bare_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                text=True,
            )
        self.programs.append(program)
        return program

    def shown(self, program: subprocess.Popen[str]) -> str:
        return (self.clone / f"terminal-{self.programs.index(program)}.log").read_text()

    def run_on(self, block: str) -> None:
        """Start a program in a terminal of its own, and wait until it is ready."""
        for written, ours in self.ports.items():
            block = block.replace("make run", MAKE_RUN).replace(written, ours)
        is_service = "manage.py up" in block
        if is_service and self.service:
            self.stop(self.service)
        *variables, python, script = re.findall(r"^((?:\w+=\S+ )*)(\S+) (.*)$", block.strip())[0]
        program = self.terminal("/usr/bin/env", *" ".join(variables).split(), python, *script.split())
        wait(lambda: "Ctrl-C" in self.shown(program) or program.poll() is not None, seconds=READY_SECONDS + 60)
        assert program.poll() is None, self.shown(program)
        if is_service:
            self.service = program

    def enter(self, block: str) -> None:
        """Type into the shell, and wait until the commands and the drafts are done."""
        before = self.shown(self.shell).count("--- done")
        for written, ours in self.ports.items():
            block = block.replace(written, ours)
        assert self.shell.stdin
        self.shell.stdin.write(f"{block}echo; echo --- done\n")
        self.shell.stdin.flush()
        until(lambda: self.shown(self.shell).count("--- done") > before or self.shell.poll() is not None)
        assert self.shell.poll() is None, self.shown(self.shell)
        until(lambda: "ENRICHING" not in {item["status"] for item in self.pending()})

    def pending(self) -> list[dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", "/api/v1/items/pending", headers={"X-Dev-User-Id": "admin"})
        items: list[dict[str, str]] = json.loads(connection.getresponse().read())["items"]
        connection.close()
        return items

    def stop(self, program: subprocess.Popen[str]) -> None:
        program.send_signal(signal.SIGINT)
        program.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        for program in reversed(self.programs):
            if program.stdin:
                program.stdin.close()
            if program is not self.shell and program.poll() is None:
                self.stop(program)
            program.wait(PATIENCE_SECONDS)


@pytest.mark.timeout(900)
def test_every_command_works_as_the_page_says(clone: Path, port: int) -> None:
    reader = Reader(clone, port)
    try:
        for language, block in BLOCKS:
            if language == "bash":
                reader.run_on(block)
            else:
                reader.enter(block)
        left = reader.pending()
        shown = reader.shown(reader.shell)
    finally:
        reader.close()

    assert '"title":"Beans"' in shown
    assert '"status":"ARCHIVED"' in shown
    assert '"errorReason":"KEY_REFUSED"' in shown
    assert '{"name":"beans"' in shown
    assert {item["status"] for item in left} == {"READY_TO_CONFIRM"}
    assert len(list((clone / "var" / "export").rglob("*.md"))) > len(left) / 2

"""A temporary PostgreSQL server that can be stopped and restarted at the same address."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.embedded import throwaway_folder

PROJECT = Path(__file__).resolve().parent.parent.parent
STOPS = ("fast", "immediate", "killed")


class OwnServer:
    """A running server.

    `stop` has three modes: fast cuts connections, immediate leaves recovery to the next start, and killed is what the
    system does when memory runs out.
    """

    def __init__(self, process: subprocess.Popen[str], *, log: Path) -> None:
        self._process = process
        self._log = log
        self.is_up = False
        self.url = ""

    def start(self) -> None:
        self.url = self._tell("start")
        self.is_up = True

    def stop(self, way: str) -> None:
        self.is_up = False
        self._tell(way)

    def restart(self, way: str) -> None:
        self.stop(way)
        self.start()

    def migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=PROJECT, env=environment(DATABASE_URL=self.url), check=True)

    def ask(self, query: str, *values: object) -> Any:
        """Return the first column of the first row."""
        with psycopg.connect(self.url, autocommit=True) as connected:
            row = connected.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]

    def _tell(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        answer: str = self._process.stdout.readline().strip()
        assert answer, self._log.read_text()
        return answer


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without settings that would decide the outcome."""
    kept = {"LITEVAULT_PG_BIN"}
    ours = {name: value for name, value in os.environ.items() if name in kept or not name.startswith("LITEVAULT_")}
    return ours | {"LITEVAULT_DEBUG": "true", "PYTHONUNBUFFERED": "1", **changes}


@contextmanager
def own_server(*, addresses: str = "127.0.0.1") -> Iterator[OwnServer]:
    """Yield a running server with LiteVault's tables. 127.0.0.1 has to be one of the addresses on which it listens."""
    with throwaway_folder() as folder, server_in(folder / "postgres", addresses=addresses) as server:
        server.migrate()
        yield server


@contextmanager
def server_in(folder: Path, *, addresses: str = "127.0.0.1") -> Iterator[OwnServer]:
    """Yield a running server with the data of the folder, or with new ones."""
    command = [sys.executable, "-m", "tests.soak.server_process", str(folder), addresses]
    folder.mkdir(exist_ok=True)
    log_path = folder.with_suffix(".log")
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C is for this process, which then stops the server in good order.
            start_new_session=True,
        ) as process,
    ):
        server = OwnServer(process, log=log_path)
        server.start()
        yield server
        # Closing its standard input ends it.

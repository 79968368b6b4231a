"""A primary and a standby by streaming replication, each as a machine that can be killed or frozen."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # it carries no types
import psycopg

from postgres.embedded.binaries import ENVIRONMENT, find_binaries
from tests.embedded import throwaway_folder
from tests.soak.server import OwnServer, server_in
from tests.waiting import PATIENCE_SECONDS, until

STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = %s"


class Machine:
    """A server with all its processes."""

    def __init__(self, server: OwnServer, folder: Path) -> None:
        self.server = server
        self._pid_file = folder / "data" / "postmaster.pid"
        self._frozen: list[psutil.Process] = []

    @property
    def address(self) -> str:
        parts = urlsplit(self.server.url)
        return f"{parts.hostname}:{parts.port}"

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.server.url, autocommit=True, connect_timeout=int(PATIENCE_SECONDS))

    def configure(self, name: str, value: str) -> None:
        """Wait until every new session has the value. It is not copied to a standby that exists already."""
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute(f"SHOW {name}".encode()).fetchone() == (value,))

    def kill(self) -> None:
        self.freeze()
        for process in self._frozen:
            process.kill()

    def freeze(self) -> None:
        """Stop every process, the postmaster first. The kernel still accepts connections for it."""
        postmaster = psutil.Process(int(self._pid_file.read_text().splitlines()[0]))
        postmaster.send_signal(signal.SIGSTOP)
        self._frozen = [postmaster, *postmaster.children(recursive=True)]
        for process in self._frozen:
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self._frozen:
            if process.is_running():
                process.send_signal(signal.SIGCONT)
        self._frozen = []


class Cluster:
    def __init__(self, primary: Machine, standby: Machine) -> None:
        self.primary = primary
        self.standby = standby
        self.url = primary.server.url.replace(primary.address, f"{primary.address},{standby.address}")
        self.url += "?target_session_attrs=read-write"

    def replicate_synchronously(self) -> None:
        self.primary.configure("synchronous_standby_names", "*")
        self.until_streaming("sync")

    def until_streaming(self, state: str) -> None:
        with self.primary.connect() as connection:
            until(lambda: connection.execute(STREAMING, [state]).fetchone() == (1,))

    def stop_replication(self) -> None:
        """Leave the standby behind, with what it has received until now."""
        self.standby.configure("primary_conninfo", "")
        with self.primary.connect() as connection:
            until(lambda: connection.execute("SELECT count(*) FROM pg_stat_replication").fetchone() == (0,))

    def promote(self) -> None:
        with self.standby.connect() as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Yield a primary with LiteVault's tables, and a standby that follows it."""
    with throwaway_folder() as folder, ExitStack() as stack:
        primary = _machine(stack, folder / "primary")
        primary.server.migrate()
        _copy(primary, folder / "primary", folder / "standby")
        standby = _machine(stack, folder / "standby")
        pair = Cluster(primary, standby)
        stack.callback(primary.thaw)  # a frozen server does not stop
        pair.until_streaming("async")
        yield pair


def _machine(stack: ExitStack, folder: Path) -> Machine:
    return Machine(stack.enter_context(server_in(folder)), folder)


def _copy(primary: Machine, source: Path, target: Path) -> None:
    """Make the folder of a standby. The server changes its owner when it starts."""
    target.mkdir()
    shutil.copy(source / "password", target / "password")
    program = find_binaries().folder / "pg_basebackup"
    options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
    subprocess.run(
        [program, "--dbname", primary.server.url, "--pgdata", target / "data", *options],
        env=ENVIRONMENT | {"HOME": os.devnull},
        check=True,
        timeout=PATIENCE_SECONDS,
    )

"""One PostgreSQL server process: start, readiness and stop."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from postgres.embedded.binaries import ENVIRONMENT, find_binaries
from postgres.embedded.data import NAME, DataFolder
from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.locks import POLL_SECONDS, FileLock
from postgres.embedded.privileges import find_identity

START_SECONDS = 60
TRIES = 3
STOP_SECONDS = 10

# Fast shutdown, immediate shutdown, kill.
STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

# Lines of postmaster.pid, counted from 0.
PID_LINE, STATUS_LINE = 0, 7


class PortTaken(Exception):
    """Another process took the port before the server started."""


class Server:
    def __init__(self, folder: Path, *, fsync: bool, addresses: str = "127.0.0.1") -> None:
        self.folder = folder
        self.fsync = fsync
        self.addresses = addresses
        self.log = folder / "server.log"
        self.data = DataFolder(folder)
        self.process: subprocess.Popen[bytes]

    def start(self, server_lock: FileLock) -> str:
        """Start the server and return its address when it is ready. Raises PostgresUnavailable.

        The server inherits `server_lock`: the lock stays held until the last of its processes has ended.
        """
        self.binaries = find_binaries()
        self.identity = find_identity(self.folder, self.binaries)
        self.data.prepare(self.binaries, self.identity, fsync=self.fsync)
        for _ in range(TRIES):
            port = free_port()
            try:
                self._start_on(port, server_lock)
            except PortTaken:
                continue
            return f"postgresql://{NAME}:{self.data.password}@127.0.0.1:{port}/{NAME}"
        raise PostgresUnavailable("PostgreSQL found no free port on 127.0.0.1. Try again.")

    def stop(self) -> None:
        for sign in STOP_SIGNALS:
            self.process.send_signal(sign)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def _start_on(self, port: int, server_lock: FileLock) -> None:
        settings = {
            "listen_addresses": self.addresses,
            "port": port,
            "unix_socket_directories": "",
            "fsync": self.fsync,
            # The log must not contain users' texts.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.binaries.postgres, "-D", str(self.data.path), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=[server_lock.descriptor],
                preexec_fn=self.identity.preexec_fn(),
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None:
                raise self._reason()
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresUnavailable(
                    f"PostgreSQL was not ready after {START_SECONDS} seconds. Its log is {self.log}."
                )
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        """Read the status in postmaster.pid, as pg_ctl does."""
        try:
            lines = (self.data.path / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > STATUS_LINE
            and int(lines[PID_LINE]) == self.process.pid
            and lines[STATUS_LINE].strip() == "ready"
        )

    def _reason(self) -> Exception:
        lines = self.log.read_text(errors="replace").splitlines()
        if any("could not bind" in line for line in lines):
            return PortTaken()
        if any('"postmaster.pid" already exists' in line for line in lines):
            return PostgresUnavailable(
                f"A server that was killed in {self.data.path} is still ending. Try again in a moment."
            )
        found = next(filter(None, (re.search(r"(?:FATAL|PANIC): +(.+)", line) for line in lines)), None)
        reported = f' It reported: "{found[1]}".' if found else ""
        return PostgresUnavailable(
            f"PostgreSQL cannot use the data in {self.data.path}.{reported} Its log is {self.log}. Repair the folder, "
            f"or move {self.folder} away to start with an empty database."
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop_orphan(data: Path) -> None:
    """Stop a server whose keeper was killed, if the kernel has not done so, as it does on Linux."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[PID_LINE])
        os.kill(pid, signal.SIGINT)
    except (OSError, ValueError, IndexError):
        return  # it has just ended

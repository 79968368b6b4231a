"""manage.py commands and other programs of ours, as processes of their own against the test's database."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from django.conf import settings

from tests.database import database_url
from tests.ports import free_port
from tests.waiting import until


@pytest.fixture
def port() -> int:
    """One that nobody has taken yet."""
    return free_port()


class Started(subprocess.Popen[str]):
    """A process of ours, and what it said."""

    log: Path

    def until_it_listens(self) -> None:
        """Counting connections would not do: that of a process which was killed may linger for a moment."""
        until(lambda: "listener.connected" in self.log.read_text() or self.poll() is not None)

    def calls(self) -> int:
        """Count the calls that a slow listener has begun. The database shows a claim before the worker has it."""
        return self.log.read_text().count("call.began")


class CommandStarter(Protocol):
    def __call__(self, *arguments: str, program: Sequence[str] = ..., **environment: str) -> Started: ...


@contextmanager
def starting(folder: Path) -> Iterator[CommandStarter]:
    """Start manage.py commands as processes that log to this folder, and kill those that still run at the end."""
    processes: list[Started] = []

    def start(*arguments: str, program: Sequence[str] = ("manage.py",), **environment: str) -> Started:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
        with (folder / f"process-{len(processes)}.log").open("w") as log:
            process = Started(
                [sys.executable, *program, *arguments],
                cwd=settings.BASE_DIR,
                env=ours | {"DATABASE_URL": database_url(), "LITEVAULT_DEBUG": "true", **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        process.log = Path(log.name)
        processes.append(process)
        return process

    try:
        yield start
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@pytest.fixture
def start(transactional_db: None, tmp_path: Path) -> Iterator[CommandStarter]:
    with starting(tmp_path) as start:
        yield start


class ListenerStarter(Protocol):
    def __call__(self, *arguments: str, **environment: str) -> Started: ...


@pytest.fixture
def start_listener(start: CommandStarter) -> ListenerStarter:
    """Start `manage.py enrich_listener` and wait until it listens."""

    def start_listener(*arguments: str, **environment: str) -> Started:
        process = start("enrich_listener", *arguments, **environment)
        process.until_it_listens()
        assert process.poll() is None, "it ended at once"
        return process

    return start_listener


class SlowListenerStarter(Protocol):
    def __call__(self, seconds: float, *arguments: str, **environment: str) -> Started: ...


@pytest.fixture
def start_slow(start: CommandStarter) -> SlowListenerStarter:
    """Start a listener whose provider takes so many seconds for each item, and wait until it listens."""

    def start_slow(seconds: float, *arguments: str, **environment: str) -> Started:
        program = ("-m", "tests.faults.slow_listener", str(seconds))
        process = start(*arguments, program=program, **environment)
        process.until_it_listens()
        return process

    return start_slow

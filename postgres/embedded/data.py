"""The data folder: checked before each start, and created when it is missing."""

import secrets
import shutil
import subprocess
from locale import LC_CTYPE, setlocale
from locale import Error as UnknownLocale
from pathlib import Path

from postgres.embedded.binaries import ENVIRONMENT, Binaries
from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.privileges import Identity
from postgres.embedded.secret_file import write_secret

NAME = "litevault"  # of the superuser and of the database
INITDB_SECONDS = 60
FIRST_WITH_BUILTIN_LOCALE = 17


class DataFolder:
    """`data` and `password`, side by side in a folder of our own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data"
        self.unfinished = folder / "data.unfinished"
        self.password_file = folder / "password"

    @property
    def password(self) -> str:
        return self.password_file.read_text()

    def prepare(self, binaries: Binaries, identity: Identity, *, fsync: bool) -> None:
        """Check the data folder, or create it. Raises PostgresUnavailable."""
        if self.path.exists():
            self._check(binaries)
        else:
            self._make(binaries, identity, fsync=fsync)
        identity.change_owner(self.path)

    def _check(self, binaries: Binaries) -> None:
        try:
            version = (self.path / "PG_VERSION").read_text().strip()
        except PermissionError:
            raise PostgresUnavailable(
                f"{self.path} belongs to another account. Change its owner (chown -R), or set DATABASE_URL."
            ) from None
        except (OSError, UnicodeDecodeError):
            version = ""
        if not version or not self.password_file.exists():
            raise PostgresUnavailable(
                f"{self.path} is not a complete PostgreSQL data folder. Restore a copy, or move "
                f"{self.path.parent} away to start with an empty database."
            )
        if version != str(binaries.major):
            raise PostgresUnavailable(
                f"{self.path} belongs to PostgreSQL {version}, and {binaries.folder} is version {binaries.major}. "
                f"Set LITEVAULT_PG_BIN to the programs of version {version}, or move {self.path.parent} away "
                "to start with an empty database."
            )

    def _make(self, binaries: Binaries, identity: Identity, *, fsync: bool) -> None:
        """Create the folder under another name first, so that an interrupted start leaves no partial one."""
        shutil.rmtree(self.unfinished, ignore_errors=True)
        self.unfinished.mkdir(mode=0o700)
        identity.change_owner(self.unfinished)
        write_secret(self.password_file, secrets.token_urlsafe(24))
        identity.change_owner(self.password_file)
        options = ["--no-sync"] if not fsync else []
        _run(
            [
                binaries.initdb,
                f"--pgdata={self.unfinished}",
                f"--username={NAME}",
                f"--pwfile={self.password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *locale_options(binaries),
                *options,
            ],
            identity,
        )
        # Before the first start, so that the database exists as soon as the server accepts connections.
        single = [binaries.postgres, "--single", f"--fsync={fsync}", "--exit_on_error=true", "-D", str(self.unfinished)]
        _run([*single, "postgres"], identity, given=f"CREATE DATABASE {NAME};\n")
        self.unfinished.rename(self.path)


def locale_options(binaries: Binaries) -> list[str]:
    """Return options for UTF-8 that sorts the same on every machine and knows letters of every script."""
    if binaries.major >= FIRST_WITH_BUILTIN_LOCALE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        setlocale(LC_CTYPE, "C.UTF-8")
    except UnknownLocale:
        return ["--locale=C"]
    return ["--locale=C.UTF-8"]


def _run(command: list[str], identity: Identity, *, given: str = "") -> None:
    try:
        subprocess.run(  # programs of PostgreSQL, found by us
            command,
            input=given,
            text=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            preexec_fn=identity.preexec_fn(),  # safe: the keeper has one thread
            timeout=INITDB_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        raise PostgresUnavailable(
            f"{Path(command[0]).name} could not create the data folder. Is the disk full? "
            "Its output is in keeper.log next to the folder."
        ) from None

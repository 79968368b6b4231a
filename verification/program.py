"""The whole program, as its operator runs it: a database of its own, and a process for each command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.rows import class_row
from tqdm import tqdm

from postgres.embedded.embedded import running_postgres
from postgres.embedded.processes import dying_with_parent
from verification.outcomes import Outcome
from verification.serving import Model

PROJECT = Path(__file__).resolve().parent.parent
LOG = PROJECT / "var" / "verify-program.log"

# One text at a time, so that the seconds are those of a text. Whoever sets another number may.
DEFAULTS = {"LITEVAULT_LLM_CONCURRENCY": "1"}
FIXED = {
    "LITEVAULT_ENRICH_MAX_ATTEMPTS": "1",  # a line of the table is an attempt
    "LITEVAULT_LISTEN_DATABASE_URL": "",
    "LITEVAULT_LOG_FORMAT": "json",  # progress is read off the log
    "LITEVAULT_LOG_LEVEL": "INFO",
}

RESULTS = """
    SELECT raw_text, status, title, summary, tags, enrichment_error,
           extract(epoch FROM finished_at - started_at)::float AS seconds, prompt_tokens, completion_tokens
    FROM items LEFT JOIN enrichment_attempts ON item_id = items.id
    ORDER BY created_at, items.id
"""


@contextmanager
def new_database() -> Iterator[str]:
    """A server that is thrown away afterwards. What `make run` keeps is never touched."""
    with TemporaryDirectory(prefix="litevault-") as folder:
        Path(folder).chmod(0o755)  # started by root, the server runs as another account
        with running_postgres(Path(folder) / "postgres", fsync=False) as url:
            yield url


def enrich(texts: Path, model: Model, *, mode: str) -> list[Outcome]:
    """Capture the texts of a folder, have a worker enrich what is due, and look at what became of each."""
    with new_database() as url:
        chosen = {"LITEVAULT_LLM_MODE": mode, "DATABASE_URL": url}
        environment = {**DEFAULTS, **model.advised, **os.environ, **FIXED, **model.settings, **chosen}
        for arguments in (("migrate",), ("capture", str(texts)), ("enrich_listener", "--drain")):
            manage(*arguments, environment=environment)
        with psycopg.connect(url, row_factory=class_row(Outcome)) as connected:
            return connected.execute(RESULTS).fetchall()


def manage(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run a command of manage.py, and count the attempts that it logs."""
    LOG.parent.mkdir(exist_ok=True)
    command = [sys.executable, "manage.py", *arguments]
    with (
        LOG.open("a") as log,
        tqdm(desc=arguments[0], unit=" attempts", leave=False, disable=not sys.stderr.isatty()) as bar,
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        ) as process,
    ):
        assert process.stdout is not None
        line = ""
        for line in process.stdout:
            log.write(line)
            log.flush()
            bar.update('"event": "enrichment.' in line)
    if process.returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed: {line.strip()}\nAll it said is in {LOG}.")

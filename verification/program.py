"""The whole program, as its operator runs it: a database of its own, and a process for each command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
from psycopg.rows import class_row
from tqdm import tqdm

from postgres.embedded.embedded import running_postgres
from postgres.embedded.processes import dying_with_parent
from verification.outcomes import Outcome
from verification.references import Reference
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
           extract(epoch FROM finished_at - started_at)::float AS seconds, prompt_tokens, completion_tokens, cost_usd
    FROM items LEFT JOIN enrichment_attempts ON item_id = items.id
    WHERE confirmed_at IS NULL
    ORDER BY created_at, items.id
"""


@contextmanager
def new_database() -> Iterator[str]:
    """A server that is thrown away afterwards. What `make run` keeps is never touched."""
    with TemporaryDirectory(prefix="litevault-") as folder:
        Path(folder).chmod(0o755)  # started by root, the server runs as another account
        with running_postgres(Path(folder) / "postgres", fsync=False) as url:
            yield url


def enrich(
    texts: Path, model: Model, *, mode: str, confirmed: Collection[Reference]
) -> tuple[list[Outcome], int | None]:
    """Capture the texts of a folder, have a worker enrich them, and return what became of each, and the requests.

    Their owner has confirmed items before, whose tags are the owner's vocabulary.
    """
    with new_database() as url, TemporaryDirectory() as folder:
        earlier = Path(folder) / "confirmed.jsonl"
        earlier.write_text("".join(map(exported, confirmed)), encoding="utf-8")
        importing = [("import_items", str(earlier))] if confirmed else []
        chosen = {"LITEVAULT_LLM_MODE": mode, "DATABASE_URL": url}
        environment = {**DEFAULTS, **model.advised, **os.environ, **FIXED, **model.settings, **chosen}
        commands = (
            ("migrate",),
            *importing,
            ("capture", str(texts)),
            ("enrich_listener", "--drain"),
        )
        for arguments in commands:
            manage(*arguments, environment=environment)
        with psycopg.connect(url, row_factory=class_row(Outcome)) as connected:
            return connected.execute(RESULTS).fetchall(), requests_logged()


def exported(reference: Reference) -> str:
    """Return a confirmed item as export_items writes it."""
    item = {
        "id": str(uuid4()),
        "title": reference.title,
        "summary": None,
        "tags": reference.tags,
        "sourceType": "NOTE",
        "status": "ARCHIVED",
        "enrichmentMode": "AI",
        "enrichmentError": None,
        "rawText": reference.title,
        **dict.fromkeys(("createdAt", "updatedAt", "confirmedAt"), "2026-01-01T12:00:00Z"),
    }
    return json.dumps(item, ensure_ascii=False) + "\n"


def requests_logged() -> int | None:
    """Return the requests of the last worker, which it logs when it stops."""
    for line in reversed(LOG.read_text().splitlines()):
        if '"event": "worker.stopped"' in line:
            return int(json.loads(line)["requests"])
    return None


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

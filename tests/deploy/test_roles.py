"""deploy/postgres/roles.sql: the running processes may read and write rows, and nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

from postgres.embedded.binaries import find_binaries
from tests.database import database_url
from tests.deploy.test_files import DEPLOY
from tests.waiting import PATIENCE_SECONDS

OWNER, ROLE = "composed_owner", "composed"
# Characters that end a part of an address, a string of SQL or a variable of a shell.
PASSWORDS = {OWNER: "o@w/n:e?r#%41'\"\\$x", ROLE: "r@o/l:e?#%42'\"\\$y"}
FORBIDDEN = [
    "ALTER TABLE items ADD COLUMN extra integer",
    "CREATE TABLE other (id integer)",
    "TRUNCATE items",
    "DROP TABLE items",
    "CREATE OR REPLACE FUNCTION items_notify_enriching() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER TABLE items DISABLE TRIGGER ALL",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "COPY items TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
]


def libpq(role: str) -> dict[str, str]:
    """Return the variables that a process gets instead of a user and a password in its address."""
    return {"PGUSER": role, "PGPASSWORD": PASSWORDS[role]}


def address() -> str:
    url = urlsplit(database_url())
    return f"postgresql://{url.netloc.rpartition('@')[2]}/composed"


def manage(role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as in production: without a secret key, and as a role that the environment names."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=plain | libpq(role) | {"DATABASE_URL": address(), "LITEVAULT_LLM_PROVIDER": "stub"},
        input="A text.",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture
def roles(db: None, tmp_path: Path) -> Iterator[None]:
    """Run the file as PostgreSQL's image does, with other names: the server may have these already."""
    script = tmp_path / "roles.sql"
    script.write_text(re.sub(r"\blitevault(?=_owner|\b)", "composed", (DEPLOY / "postgres" / "roles.sql").read_text()))
    psql = find_binaries().folder / "psql"
    try:
        subprocess.run(
            [psql, "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", script, database_url()],
            env=os.environ | {"DATABASE_OWNER_PASSWORD": PASSWORDS[OWNER], "DATABASE_PASSWORD": PASSWORDS[ROLE]},
            check=True,
        )
        yield
    finally:
        with psycopg.connect(database_url(), autocommit=True) as administrator:
            administrator.execute("DROP DATABASE IF EXISTS composed WITH (FORCE)")
            administrator.execute("DROP ROLE IF EXISTS composed_owner")
            administrator.execute("DROP ROLE IF EXISTS composed")


@pytest.mark.timeout(300)
def test_role_of_the_processes_reads_and_writes_rows_only(roles: None) -> None:
    ran = [
        manage(OWNER, "migrate", "-v0"),
        manage(ROLE, "create_token", "demo", "--create-user", "--name", "test"),
        manage(ROLE, "capture", "--owner", "demo"),
        manage(ROLE, "enrich_listener", "--drain"),
    ]

    assert [each.returncode for each in ran] == [0] * len(ran), [each.stderr for each in ran]
    password = PASSWORDS[ROLE]
    with psycopg.connect(address(), user=ROLE, password=password, autocommit=True) as connected:
        assert connected.execute("SELECT status FROM items").fetchall() == [("READY_TO_CONFIRM",)]
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connected.execute(statement.encode())

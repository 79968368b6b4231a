"""A database that is made for the measurements and dropped after them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from postgres.embedded.embedded import running_postgres

DATABASE = "litevault_benchmark"
PROJECT = Path(__file__).resolve().parent.parent


@contextmanager
def server() -> Iterator[str]:
    """The server of DATABASE_URL, or an embedded one with its defaults, which wait for the disk, thrown away later."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with TemporaryDirectory(prefix="litevault-") as folder:
        Path(folder).chmod(0o755)  # started by root, the server runs as another account
        with running_postgres(Path(folder) / "postgres") as url:
            yield url


@contextmanager
def scratch_database(server_url: str) -> Iterator[str]:
    """An empty database with LiteVault's tables, and this process's Django upon it."""
    url = urlsplit(server_url)._replace(path=f"/{DATABASE}").geturl()
    _run(server_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}")
    try:
        migrate(url)
        yield url
    finally:
        from django.db import connections  # Django is set up by migrate

        connections.close_all()
        _run(server_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)")


def migrate(url: str) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "litevault.settings",
        "LITEVAULT_LOG_LEVEL": os.environ.get("LITEVAULT_LOG_LEVEL", "WARNING"),
        "LITEVAULT_SECRET_KEY": "for measurements only, and long enough for the checks of Django",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connected:
        for statement in statements:
            connected.execute(sql.SQL(statement).format(sql.Identifier(DATABASE)))

"""`make bench`: how fast the queue is, beside the limit that PostgreSQL itself sets, in one run.

It works in a database of its own, on the server of DATABASE_URL or on the embedded one, and drops it at the end.
The provider answers at once, so that only LiteVault is measured.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.table import print_table
from litevault.postgres.embedded import running_postgres

DATABASE = "litevault_benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is made (%(default)s)")
    parser.add_argument("--captures", type=int, default=200, help="single captures in a round (%(default)s)")
    parser.add_argument("--burst", type=int, default=5000, help="rows of one burst (%(default)s)")
    parser.add_argument("--concurrency", type=int, default=50, help="slots of the worker (%(default)s)")
    arguments = parser.parse_args()
    with scratch_database() as url:
        prepare(url)
        from benchmarks.measure import Measurements, measure  # noqa: PLC0415  # needs the settings made above

        rounds: list[Measurements] = [asyncio.run(measure(url, arguments)) for _ in range(arguments.rounds)]
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print_table({name: [figures[name] for figures in rounds] for name in rounds[0]})


@contextmanager
def scratch_database() -> Iterator[str]:
    with server() as url:
        with psycopg.connect(url, autocommit=True) as connected:
            connected.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(DATABASE)))
            connected.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        try:
            yield urlsplit(url)._replace(path=f"/{DATABASE}").geturl()
        finally:
            with psycopg.connect(url, autocommit=True) as connected:
                connected.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))


@contextmanager
def server() -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
    else:
        with running_postgres() as url:
            yield url


def prepare(url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "litevault.settings", "LITEVAULT_LOG_LEVEL": "ERROR"}
    import django  # noqa: PLC0415  # needs the line above
    from django.core.management import call_command  # noqa: PLC0415  # see above

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())

"""PgBouncer in transaction mode before the test's database: each transaction may run on another server connection."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from tests.embedded import throwaway_folder
from tests.ports import free_port
from tests.waiting import until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
POOL_SIZE = 4
CONFIGURATION = """
[databases]
{NAME} = host={HOST} port={PORT} dbname={NAME} user={USER} {password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
"""


class PgBouncer:
    def __init__(self, port: int) -> None:
        self.url = f"postgresql://litevault@127.0.0.1:{port}/{connection.settings_dict['NAME']}"

    def every_session(self, query: str) -> set[object]:
        """Run the query on each server connection: transactions open at the same time have one each."""
        clients = [psycopg.connect(self.url) for _ in range(POOL_SIZE)]
        try:
            return {value for client in clients for (value,) in client.execute(query.encode()).fetchall()}
        finally:
            for client in clients:
                client.close()


@contextmanager
def running_pgbouncer() -> Iterator[PgBouncer]:
    assert PROGRAM
    port = free_port()
    with (
        throwaway_folder() as folder,
        subprocess.Popen(
            [PROGRAM, "--quiet", _configuration(folder, port)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # PgBouncer refuses to run as root.
            user="nobody" if os.geteuid() == 0 else None,
        ) as process,
    ):
        try:
            until(lambda: _answers(port) or process.poll() is not None)
            assert process.poll() is None, "PgBouncer does not take its configuration"
            yield PgBouncer(port)
        finally:
            process.kill()


def _configuration(folder: Path, port: int) -> Path:
    path = folder / "pgbouncer.ini"
    path.touch(mode=0o600)
    parts = connection.settings_dict
    password = f"password={parts['PASSWORD']}" if parts["PASSWORD"] else ""
    path.write_text(CONFIGURATION.format(**parts, password=password, listen_port=port, pool_size=POOL_SIZE))
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")
    return path


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

"""Users of an embedded server in processes of their own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

User = subprocess.Popen[str]
UserStarter = Callable[[Path], User]


def address_of(user: User) -> str:
    assert user.stdout
    line: str = user.stdout.readline()
    return line.strip()


def answer(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row
        return row[0]


def refuses(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return True
    return False

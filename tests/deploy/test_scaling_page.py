"""docs/scaling.md: its queries are understood, its sums are right, and its roles have all rights that they need."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from postgres.django.waits import POOL_CONNECTIONS
from postgres.timeboxed import CONCURRENT_QUERIES
from tests.database import database_url
from tests.deploy.test_files import ROOT, image_command, objects, workloads
from tests.faults.test_read_only_server import manage

PAGE = (ROOT / "docs" / "scaling.md").read_text()
BLOCKS = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`(SELECT [^`]+)`", PAGE)
OF_THE_POOL = POOL_CONNECTIONS + CONCURRENT_QUERIES._initial_value  # type: ignore[attr-defined]  # the stubs lack it
OF_EVENTS = 6
OF_A_LISTENER = 5
PASSWORD = "of-this-test-only"


class Addresses(NamedTuple):
    owner: str
    application: str


def renamed(statement: str) -> str:
    """Replace the names of the page, which the server may have already."""
    return re.sub(r"\blitevault(?=_owner|\b)", "page", statement)


@pytest.fixture
def addresses(db: None) -> Iterator[Addresses]:
    """Create the roles and the database as the page says."""
    as_administrator, in_the_database = (block for block in BLOCKS if not block.startswith("SELECT"))
    url = urlsplit(database_url())

    def address(role: str) -> str:
        return urlunsplit(url._replace(netloc=f"{role}:{PASSWORD}@{url.netloc.rpartition('@')[2]}", path="/page"))

    with psycopg.connect(database_url(), autocommit=True) as administrator:
        try:
            for statement in as_administrator.strip().split("\n"):
                administrator.execute(renamed(statement).encode())
            for role in ("page_owner", "page"):
                setting = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
                administrator.execute(setting)
            with psycopg.connect(urlunsplit(url._replace(path="/page")), autocommit=True) as inside:
                inside.execute(renamed(in_the_database).encode())
            yield Addresses(address("page_owner"), address("page"))
        finally:
            administrator.execute("DROP DATABASE IF EXISTS page WITH (FORCE)")
            administrator.execute("DROP ROLE IF EXISTS page_owner")
            administrator.execute("DROP ROLE IF EXISTS page")


@pytest.mark.timeout(300)
def test_roles_of_the_page_have_all_rights_that_they_need(addresses: Addresses) -> None:
    ran = [
        manage(addresses.owner, "migrate", "-v0"),
        *(
            manage(addresses.application, *arguments.split(), text="A text.")
            for arguments in (
                "migrate --check",
                "create_token demo --create-user --name test",
                "capture --owner demo",
                "enrich_listener --drain",
                "purge --discarded-after 1d --attempts-after 1d --tokens-after 1d",
                "delete_user demo --yes",
            )
        ),
    ]

    assert [each.returncode for each in ran] == [0] * len(ran), [each.stderr for each in ran]
    with psycopg.connect(addresses.application) as connected, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connected.execute("ALTER TABLE items ADD COLUMN extra integer")


@pytest.mark.django_db
@pytest.mark.parametrize("query", [*(block for block in BLOCKS if block.startswith("SELECT")), *INLINE])
def test_every_query_of_the_page_is_understood(query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'")
        if not cursor.fetchone():
            pytest.skip("the server does not have pg_stat_statements")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        # Without shared_preload_libraries it can be planned, but not executed.
        cursor.execute(f"EXPLAIN {query}")


def test_connections_of_the_examples_add_up() -> None:
    replicas = {
        found["metadata"]["name"].removeprefix("litevault-"): found["spec"]["replicas"]
        for found in objects()
        if found["kind"] == "Deployment"
    }
    command = workloads()["web"]["containers"][0].get("command") or image_command()
    workers = int(command[command.index("--workers") + 1])
    assert f"| web | {OF_THE_POOL} for each of its" in PAGE
    (people,) = re.findall(r"^\| commands and people \| \| (\d+) ", PAGE, re.MULTILINE)
    processes = {"web": replicas["web"], "events": replicas["events"], "listeners": 8}
    each = {"web": workers * OF_THE_POOL, "events": OF_EVENTS, "listeners": OF_A_LISTENER}

    # Kubernetes starts a quarter more during a rollout, rounded up.
    usual = {name: number * each[name] for name, number in processes.items()}
    most = {name: (number + -(-number // 4)) * each[name] for name, number in processes.items()}
    rows = dict(re.findall(r"^\| (web|events|listeners) \| \d+[^|]* \| (\d+ \| \d+) \|$", PAGE, re.MULTILINE))

    assert rows == {name: f"{usual[name]} | {most[name]}" for name in processes}
    sums = f"**{sum(usual.values()) + int(people)}** | **{sum(most.values()) + int(people)}**"
    assert sums in PAGE

"""Our transactions are READ COMMITTED, even if the database or the role has another default."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from postgres.session import Session
from tests.plugins.worker import Database

ISOLATION = "SELECT current_setting('transaction_isolation')"
NAME = "SELECT current_setting('application_name')"


@pytest.fixture(params=["repeatable read", "serializable"])
def other_default(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[None]:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{request.param}'")
    connection.close()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_isolation")
    connection.close()


def value_of(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchone()[0])


def test_statements_and_transactions_of_django_are_read_committed(other_default: None) -> None:
    alone = value_of(ISOLATION)
    with transaction.atomic():
        together = value_of(ISOLATION)

    assert (alone, together) == ("read committed", "read committed")


async def test_statements_and_transactions_of_sessions_are_read_committed(
    other_default: None, database: Database
) -> None:
    session = Session(deadline_seconds=60)
    alone = await session.fetch(ISOLATION, {})
    async with session.transaction() as fetch:
        together = await fetch(ISOLATION, {})
    await session.close()

    assert alone == together == [("read committed",)]


async def test_every_connection_has_a_name(database: Database) -> None:
    session = Session(deadline_seconds=60)
    names = {await database.run(lambda: value_of(NAME)), (await session.fetch(NAME, {}))[0][0]}
    await session.close()

    assert names == {"litevault"}

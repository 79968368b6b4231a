"""How tests that commit leave the database: empty, but for what a migration puts there."""

from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.fixture(autouse=True, scope="session")
def rows_are_removed_quickly() -> None:
    """Keep content types and permissions: Django's own flush makes them anew, which takes longer than most tests."""
    TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]  # the stubs lack it


def _empty_tables(_test: TransactionTestCase) -> Any:
    tables = [name for name in connection.introspection.table_names() if name not in KEPT]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))}")

"""How tests that commit leave the database: empty, but for what a migration puts there."""

from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

# TRUNCATE makes new files for each table and index, which takes longer than most tests. A few rows are deleted sooner,
# without triggers, so that nothing is notified or recorded; only a superuser may say so. Deleted rows stay in the files
# for a while: tables that have grown are truncated, or later tests would read them.
EMPTY = """
DO $$
DECLARE
    used regclass[] := array(
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0
          AND relname NOT IN ('django_content_type', 'auth_permission', 'django_migrations')
    );
    used_table regclass;
BEGIN
    IF current_setting('is_superuser') = 'on' AND 65536 > ALL (SELECT pg_relation_size(unnest(used))) THEN
        PERFORM set_config('session_replication_role', 'replica', true);
        FOREACH used_table IN ARRAY used LOOP
            EXECUTE 'DELETE FROM ' || used_table;
        END LOOP;
    ELSIF used <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(used, ', ') || ' CASCADE';
    END IF;
END $$
"""


@pytest.fixture(autouse=True, scope="session")
def rows_are_removed_quickly() -> None:
    """Keep content types and permissions: Django's own flush makes them anew, which takes longer than most tests."""
    TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]  # the stubs lack it


def _empty_tables(_test: TransactionTestCase) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS

APPS = ("items", "accounts")
TABLES = (
    "items",
    "audit_events",
    "enrichment_pauses",
    "enrichment_attempts",
    "idempotency_keys",
    "overview_periods",
    "deleted_usage",
    "api_tokens",
    "api_throttles",
    "login_throttles",
)

SCHEMA = """
SELECT 'column', table_name || '.' || column_name,
       concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
  FROM information_schema.columns WHERE table_name = ANY(%(tables)s)
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%(tables)s)
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE conrelid::regclass::text = ANY(%(tables)s)
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE tgrelid::regclass::text = ANY(%(tables)s) AND NOT tgisinternal
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc
  WHERE proname LIKE 'items\\_%%' OR proname LIKE 'enrichment\\_%%' OR proname LIKE '%%audit%%'
"""
# Made by a migration of accounts.
ELSEWHERE = {
    ("trigger", "api_tokens_audit"),
    ("trigger", "api_tokens_audit_revoke"),
    ("function", "api_tokens_audit"),
    ("function", "auth_user_audit"),
}
# Some of the migrations of two versions before the first release.
UNRELEASED = (
    [("items", "0001_initial"), ("items", "0009_claim_by_place"), ("litevault", "0001_initial")],
    [("items", "0001_tables"), ("items", "0025_validate_shorter_checks"), ("accounts", "0001_tables")],
)


def schema() -> set[tuple[str, str, str]]:
    """Return everything that our migrations create."""
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA, {"tables": list(TABLES)})
        return set(cursor.fetchall())


@pytest.fixture
def migrated_again(transactional_db: None) -> Iterator[None]:
    """Restore all tables after the test."""
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_migrations_are_reversible(migrated_again: None) -> None:
    before = schema()

    for app in APPS:
        call_command("migrate", app, "zero", verbosity=0)
    nothing = schema()
    call_command("migrate", verbosity=0)

    assert {kind for kind, _, _ in before} == {"column", "index", "constraint", "trigger", "function"}
    assert nothing == set()
    assert schema() == before


@pytest.mark.django_db
def test_every_trigger_and_function_is_expected() -> None:
    made = {(kind, name) for kind, name, _definition in schema() if kind in {"trigger", "function"}}

    expected = {("trigger", name) for name in EXPECTED_TRIGGERS} | {("function", name) for name in EXPECTED_FUNCTIONS}
    assert made == expected | ELSEWHERE


@pytest.mark.django_db
@pytest.mark.parametrize("made_by", UNRELEASED)
def test_database_of_an_unreleased_version_is_refused(made_by: list[tuple[str, str]]) -> None:
    recorder = MigrationRecorder(connection)
    recorder.migration_qs.filter(app__in=APPS).delete()
    for migration in made_by:
        recorder.record_applied(*migration)

    with pytest.raises(CommandError, match=r"export its items .*, move var/ away .*, and import them"):
        call_command("migrate", verbosity=0)


@pytest.mark.django_db
def test_migrations_match_the_models() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)

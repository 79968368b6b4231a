"""Migrations do not stop captures."""

import io
import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now

from items.models import Item
from tests.items.other_connection import other_connection
from tests.migration_locks import objections
from tests.waiting import until

APPS = {"items", "accounts"}
# They change tables that have no rows yet.
FIRST = ("0001_create_tables", "0002_cascade_deletions")
LATER = sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in APPS and key[1] not in FIRST)

INDEX = models.Index(fields=("claimed_by",), name="items_test")
CHECK = models.CheckConstraint(condition=models.Q(attempt_count__lt=100), name="items_test")
LAST = ("items", max(name for app, name in LATER if app == "items"))

REFUSED = {
    "index": migrations.AddIndex("item", INDEX),
    "unique": migrations.AddConstraint("item", models.UniqueConstraint(fields=("claimed_by",), name="items_test")),
    "check": migrations.AddConstraint("item", CHECK),
    "foreign key": migrations.AddField("item", "reviewer", models.ForeignKey("auth.User", models.CASCADE, null=True)),
    "unique column": migrations.AddField("item", "number", models.IntegerField(null=True, unique=True)),
    "default": migrations.AddField("item", "seen_at", models.DateTimeField(db_default=Now())),
    "type": migrations.AlterField("item", "claimed_by", models.IntegerField(null=True)),
    "not null": migrations.AlterField("item", "claimed_by", models.CharField(max_length=64, default="")),
    "default of Django's": migrations.AddField("item", "count", models.IntegerField(default=0)),
    "removed column": migrations.RemoveField("item", "claimed_by"),
    "renamed column": migrations.RenameField("item", "claimed_by", "worker"),
    "sql index": migrations.RunSQL("create  index on items\n(claimed_by)".upper()),
    "sql update": migrations.RunSQL("UPDATE items SET tags = '{}'"),
    "validation": ValidateConstraint("item", "items_status_known"),
    "python": migrations.RunPython(migrations.RunPython.noop),
}
ALLOWED = {
    "column": migrations.AddField("item", "note", models.TextField(null=True)),
    "column with a default": migrations.AddField("item", "count", models.IntegerField(default=0, db_default=0)),
    "check": AddConstraintNotValid("item", CHECK),
    "table": migrations.CreateModel("Note", [("name", models.CharField(max_length=9, primary_key=True, unique=True))]),
}
ALLOWED_BY_ITSELF = {
    "index": AddIndexConcurrently("item", INDEX),
    "validation": ValidateConstraint("item", "items_status_known"),
}


def made_of(*operations: migrations.operations.base.Operation, atomic: bool = True) -> Migration:
    migration = Migration("test", "items")
    vars(migration).update(operations=list(operations), atomic=atomic)
    return migration


def objections_to(migration: Migration) -> list[str]:
    return objections(migration, MigrationLoader(connection).project_state(LAST))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("app", "name"), LATER)
def test_every_migration_leaves_the_tables_usable(app: str, name: str) -> None:
    loader = MigrationLoader(connection)
    migration = loader.get_migration(app, name)

    assert objections(migration, loader.project_state((app, name), at_end=False)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", REFUSED)
def test_migration_that_blocks_writes_is_refused(kind: str) -> None:
    assert objections_to(made_of(REFUSED[kind]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ALLOWED)
def test_migration_of_the_catalogue_is_allowed(kind: str) -> None:
    assert objections_to(made_of(ALLOWED[kind])) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ALLOWED_BY_ITSELF)
def test_migration_that_may_wait_blocks_nothing(kind: str) -> None:
    assert objections_to(made_of(ALLOWED_BY_ITSELF[kind], atomic=False)) == []
    assert objections_to(made_of(ALLOWED_BY_ITSELF[kind], ALLOWED["column"], atomic=False))


@pytest.fixture
def before_the_last(transactional_db: None) -> Iterator[None]:
    call_command("migrate", "items", "0002", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def test_captures_pass_a_migration_that_waits(before_the_last: None) -> None:
    """An open transaction keeps the migration from its lock. Captures end while both go on."""
    owner = User.objects.create_user("owner")

    def migrate() -> None:
        try:
            call_command("migrate", verbosity=0, stderr=said)
        finally:
            connection.close()

    said = io.StringIO()
    migration = threading.Thread(target=migrate)
    with other_connection(autocommit=False) as writer, other_connection() as observer:
        writer.execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")  # as an update that is not committed
        migration.start()
        until(lambda: _waits_for_items(observer))
        for number in range(3):  # as the version before does
            observer.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, %s)", (owner.pk, f"text {number}"))
        until(lambda: "Another session holds a lock that the migration needs. Next try in 1 s." in said.getvalue())
        writer.rollback()
    migration.join()

    assert Item.objects.count() == 3
    call_command("migrate", check_unapplied=True, verbosity=0)


def _waits_for_items(observer: psycopg.Connection) -> bool:
    statement = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass"
    return observer.execute(statement).fetchone() != (0,)


def test_migration_gives_up_with_advice(before_the_last: None) -> None:
    with other_connection(autocommit=False) as writer:
        writer.execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")  # as an update that is not committed
        with pytest.raises(
            CommandError, match=r"Another session holds a lock .* pg_stat_activity .* run migrate again"
        ):
            call_command("migrate", verbosity=0, lock_wait=0)

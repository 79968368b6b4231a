"""What a migration may do while captures go on, and while processes of the version before it still run.

A lock that blocks writes is held only for as long as it takes to change the catalogue, never while a table is read or
written: indexes are built CONCURRENTLY, and constraints are added NOT VALID and validated by a migration of their own.
"""

import re
from collections.abc import Iterator

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ProjectState

BLOCKING = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "build indexes with AddIndexConcurrently",
    r"DROP INDEX (?!CONCURRENTLY)": "drop indexes with RemoveIndexConcurrently",
    r"REINDEX (?!.*CONCURRENTLY)": "reindex CONCURRENTLY",
    r"ADD (CONSTRAINT \S+ )?(CHECK|FOREIGN KEY)(?!.* NOT VALID)": "add the constraint NOT VALID",
    r"ADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY|EXCLUDE) ?(?!USING INDEX)": "build the index concurrently first",
    r"ADD COLUMN .*(UNIQUE|PRIMARY KEY|REFERENCES|GENERATED)": "add the column, then index and constraint",
    r"ADD COLUMN .*DEFAULT [^;]*\w\(": "a default that is computed rewrites the table",
    r"ALTER COLUMN \S+ (SET DATA )?TYPE": "add another column: the type of a column rewrites the table",
    r"SET NOT NULL": "add a check NOT VALID: this reads the whole table",
    r"SET (LOGGED|UNLOGGED|TABLESPACE)": "this rewrites the table",
    r"DROP (COLUMN|TABLE)|RENAME ": "the version before still uses it",
    r"DROP DEFAULT": "give the column a db_default: the version before does not set it",
    r"^(LOCK|CLUSTER|VACUUM|TRUNCATE|UPDATE|DELETE|INSERT|MERGE|WITH|DO)\b": "change rows in batches, by a command",
}
MAY_WAIT = r"(CREATE (UNIQUE )?|DROP |RE)INDEX CONCURRENTLY|ALTER TABLE \S+ VALIDATE CONSTRAINT"
VALIDATION = r"VALIDATE CONSTRAINT"


def objections(migration: Migration, state: ProjectState) -> list[str]:
    """Return what is wrong with the migration, which follows the state."""
    if any(isinstance(operation, RunPython) for operation in migration.operations):
        return ["Python: change rows in batches, by a command"]
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return list(_objections(list(_statements(editor.collected_sql)), is_atomic=migration.atomic))


def _objections(statements: list[str], *, is_atomic: bool) -> Iterator[str]:
    new_tables = {name for each in statements for name in re.findall(r'^CREATE TABLE "?(\w+)', each)}
    for statement in statements:
        if re.match(r"CREATE TABLE ", statement) or any(
            re.search(rf'\b(ON|TABLE) "?{name}\b', statement) for name in new_tables
        ):
            continue
        if is_atomic and re.search(VALIDATION, statement):
            yield f"{statement}: validate in a migration with atomic = False"
        if not is_atomic and not re.match(MAY_WAIT, statement):
            yield f"{statement}: only with atomic = True, because it may block writes while it waits"
        yield from (f"{statement}: {advice}" for form, advice in BLOCKING.items() if re.search(form, statement))


def _statements(collected: list[str]) -> Iterator[str]:
    """Yield each statement on one line, without comments. A function's body is not looked at."""
    text = "\n".join(line for each in collected for line in each.splitlines() if not line.lstrip().startswith("--"))
    text = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", text, flags=re.DOTALL)
    yield from (" ".join(each.split()) for each in text.split(";") if each.strip())

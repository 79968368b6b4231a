"""Let the database delete what belongs to a deleted user or item, so that a row inserted meanwhile does not stop it."""

from collections.abc import Iterator

from django.db import migrations, models

from items.sql import read

FOREIGN_KEYS = (
    ("items", "items_owner_id_c108d7e1_fk_auth_user_id", "(owner_id) REFERENCES auth_user (id)"),
    ("enrichment_attempts", "enrichment_attempts_item_id_27794260_fk_items_id", "(item_id) REFERENCES items (id)"),
    ("idempotency_keys", "idempotency_keys_owner_id_e58c3e10_fk_auth_user_id", "(owner_id) REFERENCES auth_user (id)"),
)


def replace(rule: str) -> Iterator[str]:
    """The next migration validates the constraints, because that reads the whole table."""
    for table, name, columns in FOREIGN_KEYS:
        yield f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        yield (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY {columns} {rule}"
            " DEFERRABLE INITIALLY DEFERRED NOT VALID"
        )


class Migration(migrations.Migration):
    dependencies = [("items", "0002_triggers_and_functions")]

    operations = [
        migrations.CreateModel(
            name="DeletedUsage",
            fields=[
                (
                    "start",
                    models.DateTimeField(
                        help_text="The hour in which the attempts finished.", primary_key=True, serialize=False
                    ),
                ),
                ("prompt_tokens", models.BigIntegerField(null=True)),
                ("completion_tokens", models.BigIntegerField(null=True)),
                ("cost_usd", models.DecimalField(decimal_places=8, max_digits=20, null=True)),
            ],
            options={"db_table": "deleted_usage"},
        ),
        migrations.RunSQL(list(replace("ON DELETE CASCADE")), list(replace(""))),
        migrations.RunSQL(read("triggers.sql"), "DROP TRIGGER IF EXISTS items_notify_deleted ON items"),
    ]

"""Let the database delete what belongs to a deleted user or item, so that a row inserted meanwhile does not stop it."""

from django.db import migrations

FOREIGN_KEYS = (
    ("items", "items_owner_id_c108d7e1_fk_auth_user_id", "(owner_id) REFERENCES auth_user (id)"),
    ("enrichment_attempts", "enrichment_attempts_item_id_27794260_fk_items_id", "(item_id) REFERENCES items (id)"),
    ("idempotency_keys", "idempotency_keys_owner_id_e58c3e10_fk_auth_user_id", "(owner_id) REFERENCES auth_user (id)"),
)


class Migration(migrations.Migration):
    dependencies = [("items", "0001_create_tables")]

    operations = [
        migrations.RunSQL(
            [
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} FOREIGN KEY {columns} "
                "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
                for table, name, columns in FOREIGN_KEYS
            ],
            migrations.RunSQL.noop,
        ),
    ]

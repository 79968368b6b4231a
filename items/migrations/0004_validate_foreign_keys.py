"""Validate the constraints of 0003, which reads the tables without blocking writes."""

from django.db import migrations

TABLES = {
    "items": "items_owner_id_c108d7e1_fk_auth_user_id",
    "enrichment_attempts": "enrichment_attempts_item_id_27794260_fk_items_id",
    "idempotency_keys": "idempotency_keys_owner_id_e58c3e10_fk_auth_user_id",
}


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0003_deletion")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", migrations.RunSQL.noop)
        for table, name in TABLES.items()
    ]

"""Run all SQL of items/sql, and with it the triggers of the audit trail."""

from django.db import migrations

from items.sql import read

DROP = (
    "DROP TRIGGER IF EXISTS items_audit_update ON items",
    "DROP TRIGGER IF EXISTS items_audit_delete ON items",
    "DROP FUNCTION IF EXISTS items_audit",
    "DROP FUNCTION IF EXISTS audit_record",
)


class Migration(migrations.Migration):
    dependencies = [("items", "0010_audit_events")]

    operations = [migrations.RunSQL([read("triggers.sql"), read("claim.sql"), read("audit.sql")], DROP)]

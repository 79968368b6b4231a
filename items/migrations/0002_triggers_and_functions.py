"""Run the SQL of items/sql.

To restore dropped or disabled triggers and functions, migrate back to 0001 and forward again.
"""

from django.db import migrations

from items.sql import EXPECTED_FUNCTIONS, EXPECTED_TRIGGERS, read

DROP = (
    *(f"DROP TRIGGER IF EXISTS {name} ON items" for name in EXPECTED_TRIGGERS),
    *(f"DROP FUNCTION IF EXISTS {name}" for name in EXPECTED_FUNCTIONS),
)


class Migration(migrations.Migration):
    dependencies = [("items", "0001_tables")]

    operations = [
        migrations.RunSQL(read("constraints.sql"), "ALTER TABLE items DROP CONSTRAINT IF EXISTS items_tags_flat"),
        migrations.RunSQL([read("triggers.sql"), read("claim.sql")], DROP),
    ]

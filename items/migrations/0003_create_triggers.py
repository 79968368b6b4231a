"""Run the SQL of items/sql: triggers and functions.

To restore dropped or disabled ones, migrate back to 0002_cascade_deletions and forward again.
"""

from django.db import migrations

from items.sql import read


class Migration(migrations.Migration):
    dependencies = [("items", "0002_cascade_deletions")]

    operations = [
        migrations.RunSQL(
            [read("triggers.sql"), read("claim.sql"), read("audit.sql"), read("pauses.sql")], migrations.RunSQL.noop
        )
    ]

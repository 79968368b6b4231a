"""Run all SQL of items/sql: the trigger of a retry stores its request and its trace, too.

To restore dropped or disabled triggers and functions, migrate back to 0022_validate_request_ids and forward again.
"""

from django.db import migrations

from items.sql import read


class Migration(migrations.Migration):
    dependencies = [("items", "0022_validate_request_ids")]

    operations = [
        migrations.RunSQL(
            [read("triggers.sql"), read("claim.sql"), read("audit.sql"), read("pauses.sql")], migrations.RunSQL.noop
        )
    ]

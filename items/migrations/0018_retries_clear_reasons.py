"""Run all SQL of items/sql: the trigger of a retry clears the reason of the error, too."""

from django.db import migrations

from items.sql import read


class Migration(migrations.Migration):
    dependencies = [("items", "0017_index_of_error_reasons")]

    operations = [
        migrations.RunSQL(
            [read("triggers.sql"), read("claim.sql"), read("audit.sql"), read("pauses.sql")], migrations.RunSQL.noop
        )
    ]

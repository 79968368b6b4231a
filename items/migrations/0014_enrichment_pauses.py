"""Let staff pause enrichment, in the table of the owners whose budget is spent.

The pauses of spent budgets are not copied: workers write them again within two seconds.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

from items.audit import AuditAction
from items.sql import read

DROP = (
    "DROP TRIGGER IF EXISTS enrichment_pauses_insert ON enrichment_pauses",
    "DROP TRIGGER IF EXISTS enrichment_pauses_delete ON enrichment_pauses",
    "DROP FUNCTION IF EXISTS enrichment_pauses_changed",
)


class Migration(migrations.Migration):
    dependencies = [("items", "0013_validate_restore_and_redraft")]

    operations = [
        migrations.CreateModel(
            name="EnrichmentPause",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "owner_id", "reason", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("owner_id", models.BigIntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[("BUDGET", "The budget of the day is spent"), ("STAFF", "Paused by staff")],
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "enrichment_pauses",
                "default_permissions": (),
                "permissions": [("pause_enrichment", "Can pause enrichment")],
            },
        ),
        migrations.AlterField("auditevent", "action", models.CharField(choices=AuditAction.choices, max_length=12)),
        migrations.RunSQL([read("claim.sql"), read("pauses.sql")], DROP),
        # The table stays until a later release, because workers of the version before still write to it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="BudgetPause")]),
    ]

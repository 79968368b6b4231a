"""Add what a restore and a redraft need. 0023 runs the SQL of the triggers again, once all columns are there."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from items.audit import AuditAction

UNDISCARDED = ["ENRICHING", "READY_TO_CONFIRM", "FAILED", "ARCHIVED"]


class Migration(migrations.Migration):
    dependencies = [("items", "0011_audit_triggers")]

    operations = [
        migrations.AddField("item", "discarded_from", models.CharField(max_length=20, null=True, editable=False)),
        migrations.AddField("item", "redrafted_from", models.CharField(max_length=20, null=True, editable=False)),
        migrations.AddField("item", "former_draft", models.JSONField(null=True, editable=False)),
        migrations.AlterField("auditevent", "action", models.CharField(choices=AuditAction.choices, max_length=12)),
        # The next migration validates them, because that reads the whole table.
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_discarded_from_known",
                condition=models.Q(discarded_from=None) | models.Q(discarded_from__in=UNDISCARDED, status="DISCARDED"),
            ),
        ),
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_redrafted_from_known",
                condition=models.Q(redrafted_from=None)
                | models.Q(
                    redrafted_from__in=("READY_TO_CONFIRM", "ARCHIVED"),
                    status__in=["ENRICHING", "FAILED", "DISCARDED"],
                ),
            ),
        ),
    ]

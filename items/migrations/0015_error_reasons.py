"""Store why enrichment failed beside the error code. Items and attempts that failed before have no reason."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("items", "0014_enrichment_pauses")]

    operations = [
        migrations.AddField("item", "error_reason", models.CharField(blank=True, max_length=40, null=True)),
        migrations.AddField(
            "enrichmentattempt", "error_reason", models.CharField(blank=True, max_length=40, null=True)
        ),
        # The next migration validates them, because that reads the whole tables.
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_reason_has_error",
                condition=models.Q(("error_reason", None), ("enrichment_error__isnull", False), _connector="OR"),
            ),
        ),
        AddConstraintNotValid(
            "enrichmentattempt",
            models.CheckConstraint(
                name="attempts_reason_has_code",
                condition=models.Q(("error_reason", None), ("error_code__isnull", False), _connector="OR"),
            ),
        ),
    ]

"""An index of failed items by reason, for the groups in the admin."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0016_validate_error_reasons")]

    operations = [
        AddIndexConcurrently(
            "item",
            models.Index(
                fields=("error_reason", "-created_at", "-id"),
                include=("updated_at",),
                name="items_failed_reason",
                condition=models.Q(status="FAILED"),
            ),
        ),
    ]

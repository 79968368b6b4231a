"""Validate the constraints of 0024, which reads the table without blocking writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0024_shorter_checks")]

    operations = [
        ValidateConstraint("item", name)
        for name in (
            "items_tags_count",
            "items_failed_has_error",
            "items_ready_has_result",
            "items_archived_has_confirmed_at",
            "items_counters_in_range",
            "items_times_in_range",
        )
    ]

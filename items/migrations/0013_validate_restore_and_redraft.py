"""Validate the constraints of the migration before, which reads the table without blocking writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0012_restore_and_redraft")]

    operations = [
        ValidateConstraint("item", "items_discarded_from_known"),
        ValidateConstraint("item", "items_redrafted_from_known"),
    ]

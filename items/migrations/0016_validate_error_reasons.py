"""Validate the constraints of 0015, which reads the tables without blocking writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0015_error_reasons")]

    operations = [
        ValidateConstraint("item", "items_reason_has_error"),
        ValidateConstraint("enrichmentattempt", "attempts_reason_has_code"),
    ]
